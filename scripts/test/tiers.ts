// The tiers of tests: a folder under test/ for each, and what its tests need. Whatever is in no tier's folder is in `unit`.

type Tier = {
  /** What one test, or one hook, may take at most. */
  seconds: number;
  /** Whether build/ must be there before the first test. */
  built: boolean;
  /** Brings up what all files of the tier share; such a tier runs one file after the other. */
  setup?: string;
};

/** In the order in which they run, the quickest first. */
export const TIERS = {
  source: { seconds: 120, built: false },
  unit: { seconds: 30, built: false },
  server: { seconds: 60, built: false },
  host: { seconds: 60, built: true },
  distribution: { seconds: 60, built: false },
  etcd: { seconds: 90, built: false },
  clients: { seconds: 180, built: false },
  package: { seconds: 120, built: true },
  envoy: { seconds: 60, built: true },
  mesh: { seconds: 300, built: true, setup: "test/mesh/setup.ts" },
  container: { seconds: 300, built: true, setup: "test/container/setup.ts" },
} satisfies Record<string, Tier>;

export type TierName = keyof typeof TIERS;
export const tierNames = Object.keys(TIERS) as TierName[];
