// The memory of traces where routes of the way in take the request.
import { expect, test } from "vitest";
import { counted, type Headers, leave, workload } from "./workload.ts";

const b3 = { b3: "1".repeat(32) };
const inbound = { routes: [{ from: "app", key: "a", to: "app-a" }] };

/** Where a request with the key `a` goes that comes in. */
function enter(one: ReturnType<typeof workload>, headers: Headers = {}): string | undefined {
  return one.inbound.request({ headers: { "x-routing-key": "a", ...b3, ...headers }, cluster: "app" }).cluster;
}

test.each([["trace"], ["header:x-routing-key"]])(
  "a key with a route stays with its trace where the request stays, with %s first among the keys",
  (first) => {
    const keys = [first, ...["header:x-routing-key", "trace"].filter((source) => source !== first)];
    const copy = workload({ keys, inbound });
    copy.envoy.process.clusters.set("app-a", true);
    expect(enter(copy, { "x-keyway-routed": "app-a" })).toBe("app");
    expect(leave(copy, b3)).toBe("a");
    const missing = workload({
      keys,
      inbound: { routes: [{ from: "app", key: "a", to: "gone", missing: "baseline" }] },
    });
    missing.envoy.process.clusters.set("gone", false);
    enter(missing);
    missing.envoy.process.advance(10);
    expect(enter(missing)).toBe("app");
    expect(leave(missing, b3)).toBe("a");
  },
);

test("what comes in and goes on to another workload is remembered there, and not on the way", () => {
  const one = workload({ inbound });
  one.envoy.process.clusters.set("app-a", true);
  expect(enter(one)).toBe("app-a");
  expect(leave(one, b3)).toBeUndefined();
  expect(counted(one, "requests_remembered")).toBe(0);
});
