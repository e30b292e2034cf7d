// What `keyway gaps` reads from real proxies, of services that hand on all, a part and nothing.
import { expect, test } from "vitest";
import { type Flow, flowOf } from "../../installer/gaps/flow.ts";
import { verdictOf } from "../../installer/gaps/verdict.ts";
import { METRICS_PATH, readMetrics } from "../../installer/proxies/proxy-admin.ts";
import type { HeaderList } from "./bed/client.ts";
import { startWorkload } from "./bed/workload.ts";

const keys = ["header:x-routing-key", "trace"];
const config = { keys, routes: [{ from: "next", key: "pr-1", to: "next-pr-1" }] };

const KEYED = 6;
const PLAIN = 4;

/** Headers of a trace that no one else has. */
const trace = (n: number, key: boolean): HeaderList => [
  ...(key ? ([["x-routing-key", "unrouted"]] as HeaderList) : []),
  ["traceparent", `00-${`${n + 1}`.padStart(32, "5759e988")}-00f067aa0ba902b7-01`],
  ["b3", `${`${n + 1}`.padStart(32, "ab79e988")}-00f067aa0ba902b7-1`],
];

/** What the proxy tells of a service that hands on these headers, after some requests with a key and some without one. */
async function flowBehind(keep: string[]): Promise<Flow | undefined> {
  const workload = await startWorkload({ inbound: config, outbound: config, targets: ["next-pr-1"], concurrency: 1 });
  try {
    for (let n = 0; n < KEYED + PLAIN; n++) {
      const { status } = await workload.ask(trace(n, n < KEYED), keep);
      expect(status).toBe(200);
    }
    return flowOf(readMetrics(JSON.parse(await workload.bed.envoy.ask(METRICS_PATH))));
  } finally {
    await workload.stop();
  }
}

const nothing = { untraced: 0, forwarded: 0, recovered: 0, recoveredBy: {}, evicted: 0, conflicting: 0 };
const all = { ...nothing, cameIn: KEYED, cameInWithout: PLAIN };

test.each<[string, string[], string, Partial<Flow>]>([
  [
    "the key",
    ["x-routing-key", "traceparent"],
    "forwards",
    { forwarded: KEYED, unrecovered: PLAIN, unrecoveredUntraced: 0 },
  ],
  [
    "its trace",
    ["traceparent", "x-request-id"],
    "recovered",
    { recovered: KEYED, recoveredBy: { traceparent: KEYED }, unrecovered: PLAIN, unrecoveredUntraced: 0 },
  ],
  [
    "the request id alone",
    ["x-request-id"],
    "recovered",
    { recovered: KEYED, recoveredBy: { "x-request-id": KEYED }, unrecovered: PLAIN, unrecoveredUntraced: PLAIN },
  ],
  ["nothing", [], "lost", { unrecovered: KEYED + PLAIN, unrecoveredUntraced: KEYED + PLAIN }],
])("a service that hands on %s", async (_, keep, verdict, wanted) => {
  const flow = await flowBehind(keep);
  expect(flow).toEqual({ ...all, ...wanted });
  expect(verdictOf(["inbound", "outbound"], flow)).toBe(verdict);
});
