// Two Keyway filters in one filter chain, as two installations of different reach make them.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Listener, manager } from "../../scripts/proxy/bootstrap.ts";
import { type Bed, startBed } from "./bed/bed.ts";
import { encoded, httpFilter, plugin } from "./bed/bootstrap.ts";
import type { HeaderList } from "./bed/client.ts";

const first = {
  routes: [
    { from: "reviews", key: "pr-1", to: "one" },
    { from: "reviews", key: "both", to: "one" },
  ],
};
const second = {
  routes: [
    { from: "reviews", key: "pr-2", to: "two" },
    { from: "reviews", key: "both", to: "two" },
    { from: "one", key: "both", to: "two" },
  ],
};

let bed: Bed;
beforeAll(async () => {
  bed = await startBed({
    config: first,
    targets: ["one", "two", "secret"],
    concurrency: 2,
    change: ({ static_resources }) => {
      const [web] = static_resources.listeners as [Listener];
      const other = structuredClone(web);
      Object.assign(plugin(other), { name: "keyway-second", configuration: encoded(second) });
      manager(web).http_filters.splice(1, 0, { ...httpFilter(other), name: "keyway-second" });
    },
  });
});
afterAll(() => bed.stop());

const CASES: [what: string, headers: HeaderList, service: string][] = [
  ["no key stays at the baseline", [], "reviews"],
  ["a key of the first filter goes to its target", [["x-routing-key", "pr-1"]], "one"],
  ["a key of the second filter goes to its target", [["x-routing-key", "pr-2"]], "two"],
  ["what the first filter selected stands", [["x-routing-key", "both"]], "one"],
  ["a forged selection is none", [["x-keyway-cluster", "secret"]], "reviews"],
  [
    "a forged selection is none beside a key of the first",
    [
      ["x-keyway-cluster", "secret"],
      ["x-routing-key", "pr-1"],
    ],
    "one",
  ],
  [
    "a forged selection is none beside a key of the second",
    [
      ["x-keyway-cluster", "secret"],
      ["x-routing-key", "pr-2"],
    ],
    "two",
  ],
];

test.each(CASES)("%s", async (_, headers, service) => {
  expect(await bed.everywhere({ headers })).toEqual(new Set([service]));
  expect((await bed.ask({ headers })).seen("x-keyway-cluster")).toEqual([]);
});

test("a request that has been through the first one's target goes no further", async () => {
  const headers = { "x-routing-key": "both", "x-keyway-routed": "one" };
  expect((await bed.ask({ headers })).service).toBe("reviews");
});
