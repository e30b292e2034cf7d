// Services that hand on a trace's id, or a part of it, and no key: the proxy gives the key back.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HeaderList } from "./bed/client.ts";
import { startWorkload, type Workload } from "./bed/workload.ts";

const keys = ["header:x-routing-key", "baggage:k", "query:k", "trace"];
const next = ["pr-1", "pr-2"].map((key) => ({ from: "next", key, to: `next-${key}` }));
const targets = ["next-pr-1", "next-pr-2"];

const hex = (bytes: number) => randomBytes(bytes).toString("hex");

/** The headers of a trace that no one else has, by what each of them needs to be known again. */
function trace() {
  const [high, low, span] = [hex(8), hex(8), hex(8)];
  const id = high + low;
  const forms: Record<string, HeaderList> = {
    traceparent: [["traceparent", `00-${id}-${span}-01`]],
    b3: [["b3", `${id}-${span}-1`]],
    "x-b3-traceid": [["x-b3-traceid", id]],
    "x-request-id": [["x-request-id", id.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")]],
    "x-datadog-trace-id": [["x-datadog-trace-id", BigInt(`0x${low}`).toString()]],
    "x-amzn-trace-id": [["x-amzn-trace-id", `Root=1-${id.slice(0, 8)}-${id.slice(8)}`]],
    "x-cloud-trace-context": [["x-cloud-trace-context", `${id}/1;o=1`]],
    "uber-trace-id": [["uber-trace-id", `${id}:${span}:0:1`]],
    sw8: [["sw8", `1-${Buffer.from(id).toString("base64")}-${span}-3-a-b-c-d`]],
  };
  return { forms, all: Object.values(forms).flat() };
}

describe.each<[string, object, object]>([
  ["the same configuration on both ways", { keys, routes: next }, { keys, routes: next }],
  [
    "a configuration for each way",
    { keys, routes: [] },
    { keys, routes: next, emit: ["header:x-routing-key", "baggage:k"] },
  ],
])("%s", (_, inbound, outbound) => {
  let workload: Workload;
  beforeAll(async () => {
    workload = await startWorkload({ inbound, outbound, targets });
  });
  afterAll(() => workload.stop());

  test.each(Object.keys(trace().forms))("a service that hands on %s alone", async (header) => {
    const { all } = trace();
    const keyed = await workload.ask([["x-routing-key", "pr-1"], ...all], [header]);
    expect([keyed.status, keyed.service, keyed.seen("x-routing-key")]).toEqual([200, "next-pr-1", ["pr-1"]]);
    if ("emit" in outbound) expect(keyed.seen("baggage")).toEqual(["k=pr-1"]);
    const plain = await workload.ask(trace().all, [header]);
    expect([plain.service, plain.seen("x-routing-key"), plain.seen("baggage")]).toEqual(["next", [], []]);
  });

  test("a key that came in by a link, with the request id that Envoy gives to whoever has none", async () => {
    const { service, seen } = await workload.ask([], ["x-request-id"], "/?k=pr-2");
    expect([service, seen("x-routing-key")]).toEqual(["next-pr-2", ["pr-2"]]);
  });

  test("a service that hands on nothing goes to the baseline, and that is counted", async () => {
    const before = await workload.bed.metrics();
    expect((await workload.ask([["x-routing-key", "pr-1"], ...trace().all], [])).service).toBe("next");
    const after = await workload.bed.metrics();
    const more = (name: string) => (after[`keyway_requests_${name}`] ?? 0) - (before[`keyway_requests_${name}`] ?? 0);
    expect(["remembered", "recovered", "unrecovered"].map(more)).toEqual([1, 0, 1]);
  });

  test("many traces at once, with two keys and none: every one has its own again", async () => {
    const forms = Object.keys(trace().forms);
    const wrong: string[] = [];
    const one = async (n: number) => {
      const key = [undefined, "pr-1", "pr-2"][n % 3];
      const header = forms[n % forms.length] as string;
      const headers: HeaderList = [...(key ? ([["x-routing-key", key]] as HeaderList) : []), ...trace().all];
      const { service, seen } = await workload.ask(headers, [header]);
      const wanted = key ? `next-${key}` : "next";
      if (service !== wanted || seen("x-routing-key").join() !== (key ?? ""))
        wrong.push(`${n} ${header}: ${key} ${service}`);
    };
    for (let from = 0; from < 3000; from += 100)
      await Promise.all(Array.from({ length: 100 }, (_, i) => one(from + i)));
    expect(wrong).toEqual([]);
  });

  test("a stranger with somebody's trace gets no key", async () => {
    const { all, forms } = trace();
    expect((await workload.ask([["x-routing-key", "pr-1"], ...all], ["b3"])).service).toBe("next-pr-1");
    expect((await workload.ask(forms.b3 as HeaderList, ["b3"])).service).toBe("next");
  });
});
