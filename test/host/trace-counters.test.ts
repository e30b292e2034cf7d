// What the counters of traces tell of a service: whether it hands on the key, what else it hands on, and what is lost.
import { expect, test } from "vitest";
import { enter, type Headers, leave, workload } from "./workload.ts";

const HIGH = "5759e988bd862e3f";
const LOW = "e1be46a994272793";
const ID = HIGH + LOW;
const SPAN = "00f067aa0ba902b7";

/** The counters of requests that have moved, without what all names begin with. */
function moved({ envoy }: ReturnType<typeof workload>): Record<string, number> {
  const names = [...envoy.process.metrics.values.keys()];
  const counted = names
    .filter((name) => /^keyway_requests_(remembered|untraced|forwarded|recovered|unrecovered)/.test(name))
    .map((name) => [name.replace("keyway_requests_", ""), envoy.process.counter(name)] as const);
  return Object.fromEntries(counted.filter(([, value]) => value > 0));
}

const trace: Record<string, Headers> = {
  traceparent: { traceparent: `00-${ID}-${SPAN}-01` },
  b3: { b3: `${ID}-${SPAN}-1` },
  x_b3_traceid: { "x-b3-traceid": ID },
  x_datadog_trace_id: { "x-datadog-trace-id": BigInt(`0x${LOW}`).toString() },
  x_amzn_trace_id: { "x-amzn-trace-id": `Root=1-${ID.slice(0, 8)}-${ID.slice(8)}` },
  x_cloud_trace_context: { "x-cloud-trace-context": `${ID}/1` },
  uber_trace_id: { "uber-trace-id": `${ID}:${SPAN}:0:1` },
  x_request_id: { "x-request-id": ID },
};
const sw8: Headers = { sw8: "1-TUtLUEFUUk9MLTE5Mi4xNjg=-c2VnbWVudA==-3-UE9TVA==-djE=-L2FwaQ==-MTI3" };

test.each(Object.entries({ ...trace, sw8 }))("what is given back by %s counts under it alone", (header, headers) => {
  const one = workload();
  enter(one, "a", headers);
  leave(one, headers);
  leave(one, headers);
  expect(moved(one)).toEqual({ remembered: 1, recovered: 2, [`recovered_${header}`]: 2 });
});

test("of several headers the first that is configured and remembered counts", () => {
  const one = workload({ trace: { ids: ["x-request-id", "b3", "traceparent"] } });
  enter(one, "a", { ...trace.b3, ...trace.traceparent, "x-request-id": "1".repeat(32) });
  leave(one, { ...trace.traceparent, "x-request-id": "2".repeat(32) });
  leave(one, { ...trace.traceparent, ...trace.b3 });
  expect(moved(one)).toEqual({ remembered: 1, recovered: 2, recovered_traceparent: 1, recovered_b3: 1 });
});

test.each<[string, Headers, boolean]>([
  ["nothing", {}, true],
  ["a request id alone, which the proxy gives to every request", { "x-request-id": "1".repeat(32) }, true],
  ["what is no id", { traceparent: "00-", b3: "0" }, true],
  ["a trace of its own", { traceparent: `00-${"1".repeat(32)}-${SPAN}-01` }, false],
  ["a trace of its own and a request id", { b3: "1".repeat(32), "x-request-id": "2".repeat(32) }, false],
])("a service that hands on %s", (_, headers, untraced) => {
  const one = workload();
  enter(one, "a", trace.b3 as Headers);
  leave(one, headers);
  expect(moved(one)).toEqual({ remembered: 1, unrecovered: 1, ...(untraced && { unrecovered_untraced: 1 }) });
});

test("a service that hands the key on", () => {
  const one = workload();
  enter(one, "a", trace.b3 as Headers);
  leave(one, { "x-routing-key": "unknown" });
  leave(one, { "x-routing-key": "unknown", ...trace.b3 });
  expect(moved(one)).toEqual({ remembered: 1, forwarded: 2 });
});

const ISTIO = "outbound|80||next.demo.svc.cluster.local";

test.each([
  ["a cluster's name", ISTIO, {}],
  ["the configuration", "next", { trace: { direction: "outbound" } }],
])("a key that is handed on counts also where it is routed, when %s says the direction", (_, from, outbound) => {
  const one = workload({ outbound: { routes: [{ from, key: "a", to: "next-a" }], ...outbound } });
  const headers = { "x-routing-key": "a", ...trace.b3 };
  expect(one.outbound.request({ headers, cluster: from }).cluster).toBe("next-a");
  expect(moved(one)).toEqual({ forwarded: 1 });
});

test("without `trace` none of these counters is there", () => {
  const one = workload({ keys: ["header:x-routing-key"] });
  leave(one, { "x-routing-key": "a" });
  const names = [...one.envoy.process.metrics.values.keys()];
  expect(names.filter((name) => /forwarded|recovered|remembered|untraced|traces/.test(name))).toEqual([]);
  expect(names).toContain("keyway_requests_routed");
});
