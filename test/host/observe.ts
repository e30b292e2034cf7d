// What the module has decided, read off the outcome of a request, and what must hold for any outcome.
import type { Pairs } from "./emulator/headers.ts";
import type { Outcome as Passed } from "./emulator/slot.ts";
import type { Decision, Outcome } from "./expected.ts";

const CLUSTER = "x-keyway-cluster";
const MARK = "x-keyway-routed";

/** The decision that the filter state tells: `OUTCOME [KEY|- [TARGET]]`. */
export function decisionOf({ state }: Passed): Decision {
  if (state === undefined) return { outcome: "no_key", key: null, to: null };
  const [outcome = "", key = "", ...to] = state.split(" ");
  return {
    outcome: outcome as Outcome,
    key: key === "" || key === "-" ? null : key,
    to: to.length > 0 ? to.join(" ") : null,
  };
}

const named = (pairs: Pairs, name: string) => pairs.filter(([own]) => own === name).map(([, value]) => value);
const others = (pairs: Pairs) => pairs.filter(([name]) => name !== CLUSTER && name !== MARK && !name.startsWith(":"));

/** Throws when what happened to the request does not go with the decision that the filter state tells. */
export function assertConsistent(sent: Pairs, passed: Passed, baseline: string | null): void {
  const { outcome, to } = decisionOf(passed);
  const lowered = sent.map(([name, value]) => [name.toLowerCase(), value] as [string, string]);
  const wanted: Partial<Record<Outcome, { cluster: string[]; mark: string[] }>> = {
    routed: { cluster: [to ?? ""], mark: [to ?? ""] },
    already_routed: { cluster: [], mark: [] },
    missing_target: { cluster: [], mark: named(lowered, MARK) },
    baseline: { cluster: [], mark: named(lowered, MARK) },
    invalid_key: { cluster: [], mark: named(lowered, MARK) },
    no_key: { cluster: [], mark: named(lowered, MARK) },
  };
  const right = wanted[outcome];
  if (!right) throw new Error(`an unknown outcome: ${passed.state}`);
  const faults: string[] = [];
  const same = (what: string, real: unknown, due: unknown) => {
    if (JSON.stringify(real) !== JSON.stringify(due))
      faults.push(`${what} ${JSON.stringify(real)}, not ${JSON.stringify(due)}`);
  };
  same("selection header", named(passed.headers, CLUSTER), right.cluster);
  same("hop mark", named(passed.headers, MARK), right.mark);
  same("other headers", others(passed.headers), others(lowered));
  if (!passed.local && outcome !== "routed") same("cluster", passed.cluster ?? null, baseline);
  if (faults.length > 0) throw new Error(`${passed.state ?? "no state"}: ${faults.join("; ")}`);
}
