// The forms in which a key leaves, as a service behind a real Envoy sees them.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bed, startBed } from "./bed/bed.ts";
import type { Ask } from "./bed/client.ts";

let bed: Bed;
beforeAll(async () => {
  bed = await startBed({
    config: {
      keys: ["header:x-routing-key", "baggage:k", "cookie:k", "query:k", "host:.preview.example.com"],
      emit: ["header:x-routing-key", "baggage:k", "tracestate:keyway", "cookie:k"],
      routes: [{ from: "reviews", key: "pr-42", to: "sandbox" }],
    },
    targets: ["sandbox"],
  });
});
afterAll(() => bed.stop());

const ENTRIES: Record<string, Ask> = {
  header: { headers: { "x-routing-key": "KEY" } },
  baggage: { headers: { baggage: "k=KEY" } },
  cookie: { headers: { cookie: "k=KEY" } },
  query: { path: "/a?k=KEY" },
  host: { headers: { host: "KEY.preview.example.com" } },
};

test.each(Object.entries(ENTRIES))("a key from the %s travels on, with a route and without one", async (_, entry) => {
  for (const [key, service] of [
    ["pr-42", "sandbox"],
    ["pr-43", "reviews"],
  ] as const) {
    const what = JSON.parse(JSON.stringify(entry).replaceAll("KEY", key)) as Ask;
    const answer = await bed.ask(what);
    expect(answer.service).toBe(service);
    expect(answer.seen("x-routing-key")).toEqual([key]);
    expect(answer.seen("baggage")).toEqual([`k=${key}`]);
    expect(answer.seen("tracestate")).toEqual([`keyway=${key}`]);
    expect(answer.seen("cookie")).toEqual([`k=${key}`]);
  }
});

test("what others have put there stays, whichever line it stands in", async () => {
  const answer = await bed.ask({
    headers: [
      ["x-routing-key", "pr-42"],
      ["baggage", "user=1"],
      ["baggage", "k=old,tier=gold;p"],
      ["tracestate", "rojo=1,keyway=old"],
      ["tracestate", "congo=2"],
      ["cookie", "theme=dark"],
      ["cookie", "k=old"],
    ],
  });
  expect(answer.service).toBe("sandbox");
  expect(answer.seen("baggage")).toEqual(["k=pr-42,user=1,tier=gold;p"]);
  expect(answer.seen("tracestate")).toEqual(["keyway=pr-42,rojo=1,congo=2"]);
  expect(answer.seen("cookie")).toEqual(["theme=dark; k=pr-42"]);
});

test("a request without a key leaves as it came", async () => {
  const answer = await bed.ask({ headers: { baggage: "user=1" } });
  expect(["baggage", "x-routing-key", "tracestate", "cookie"].map(answer.seen)).toEqual([["user=1"], [], [], []]);
});
