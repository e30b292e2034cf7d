import fc from "fast-check";

// The same cases in every run, unless somebody looks for others.
const SEED = Number(process.env.PROPERTY_SEED ?? 20300131);
const TIMES = Number(process.env.PROPERTY_TIMES ?? 1);

type Arbitraries<Values> = { [I in keyof Values]: fc.Arbitrary<Values[I]> };

/** Tries `holds` with `runs` random cases; a failure's message holds the seed and the path that repeat the case alone. */
export function check<Values extends [unknown, ...unknown[]]>(
  arbitraries: Arbitraries<Values>,
  holds: (...values: Values) => void,
  runs = 300,
): void {
  const property = fc.property(fc.tuple(...arbitraries) as fc.Arbitrary<Values>, (values) => {
    holds(...values);
  });
  fc.assert(property, { seed: SEED, numRuns: runs * TIMES });
}

/** The same for what takes its time. */
export async function checkAsync<Values extends [unknown, ...unknown[]]>(
  arbitraries: Arbitraries<Values>,
  holds: (...values: Values) => Promise<void>,
  runs = 300,
): Promise<void> {
  const property = fc.asyncProperty(fc.tuple(...arbitraries) as fc.Arbitrary<Values>, (values) => holds(...values));
  await fc.assert(property, { seed: SEED, numRuns: runs * TIMES });
}
