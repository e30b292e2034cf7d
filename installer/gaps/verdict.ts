// What becomes of keys in a workload, by what its proxies have counted.
import { ways as allWays, type Way } from "../manifests/installation.ts";
import type { Flow } from "./flow.ts";

export type Verdict =
  /** The filter stands on one way alone, so nothing can be given back. */
  | "one way"
  /** No proxy has told anything. */
  | "unknown"
  /** No request with a key has come in. */
  | "idle"
  /** Keys have come in, and nothing has gone out while they were remembered. */
  | "last"
  /** It hands the key on. */
  | "forwards"
  /** It drops the key, and its requests have it given back. */
  | "recovered"
  /** Some of its requests go out with the key, and more without it than came in without one. */
  | "partly lost"
  /** Keys come in, and no request goes out with one. */
  | "lost";

/** The verdicts by which a service breaks previews. */
export const GAPS: readonly Verdict[] = ["lost", "partly lost"];

/** How many times the calls that requests without a key may make, by what those with a key make, are nothing to tell of. */
const ALLOWANCE = 1.5;

export function verdictOf(ways: readonly Way[], flow: Flow | undefined): Verdict {
  if (!allWays.every((way) => ways.includes(way))) return "one way";
  if (flow === undefined) return "unknown";
  const { cameIn, cameInWithout, forwarded, recovered, unrecovered } = flow;
  const keyed = forwarded + recovered;
  if (cameIn === 0) return "idle";
  if (keyed === 0) return unrecovered === 0 ? "last" : "lost";
  const callsOfEach = keyed / cameIn;
  if (unrecovered > ALLOWANCE * callsOfEach * cameInWithout) return "partly lost";
  return recovered > 0 ? "recovered" : "forwards";
}
