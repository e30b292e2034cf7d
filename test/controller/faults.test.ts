import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  admissionRefusal,
  cutConnection,
  namespaceTerminating,
  noRights,
  noSuchPath,
  unavailable,
} from "../double/faults.ts";
import { Refusal } from "../double/status.ts";
import { checkAsync } from "../property.ts";
import { type Bed, counting, eventually, startBed } from "./bed.ts";

const STATUS = /^PATCH .*\/status/;
const route = (to: string) => ({ routes: [{ service: "reviews", to }] });

async function withServices(): Promise<Bed> {
  const bed = await startBed();
  for (const name of ["reviews", "v1", "v2", "v3"]) bed.addService(name);
  return bed;
}

test.each([
  [
    "the right is missing",
    noRights('sandboxes.keyway.dev "a" is forbidden: User "x" cannot patch resource "sandboxes/status"'),
    "no permission to patch the status of Sandbox demo/a",
  ],
  [
    "a webhook refuses",
    admissionRefusal('admission webhook "deny.example.com" denied the request: no', 403),
    "admission control refuses",
  ],
  ["the API server is away", unavailable, "the API server can't patch the status of Sandbox demo/a"],
  ["connections break", cutConnection, "can't be reached"],
])(
  "where %s it is told, tried ever later, and done once it can be",
  async (_, fault, why) => {
    const bed = await withServices();
    bed.api.faults.add(/^PATCH .*\/a\/status/, fault, 1000);
    bed.put("a", route("v1"));
    bed.put("b", route("v1"));
    await bed.start("one", { queue: { firstRetryMs: 200 } });
    await eventually(() => bed.logged.join()).toContain(why);
    await bed.reaches("b", "InForce", "InForce");
    expect(bed.condition("a", "Accepted")).toBe("none");
    const tries = counting(bed, STATUS);
    await sleep(1000);
    expect(tries().length).toBeLessThan(20);
    bed.api.faults.clear();
    await eventually(() => bed.condition("a", "InForce")).toBe("InForce");
  },
  60_000,
);

test("tries after failures become ever rarer", async () => {
  const bed = await withServices();
  bed.api.faults.add(STATUS, admissionRefusal("denied the request"), 1000);
  const tries = counting(bed, STATUS);
  bed.put("a", route("v1"));
  const startedAt = performance.now();
  await bed.start("one", { queue: { firstRetryMs: 100 } });
  await eventually(() => tries().length).toBe(5);
  // After 100, 200, 400 and 800 ms.
  expect(performance.now() - startedAt).toBeGreaterThan(1400);
});

test("a new spec is tried at once, whatever the last one was refused for", async () => {
  const bed = await withServices();
  bed.api.faults.add(STATUS, admissionRefusal("denied the request"), 1000);
  const tries = counting(bed, STATUS);
  bed.put("a", route("v1"));
  await bed.start("one", { queue: { firstRetryMs: 100_000 } });
  await eventually(() => tries().length).toBe(1);
  bed.api.faults.clear();
  bed.put("a", route("v2"));
  await bed.reaches("a", "InForce", "InForce");
});

test("custom resources of an older version are told, with what to do", async () => {
  const bed = await withServices();
  bed.api.faults.add(STATUS, noSuchPath, 1000);
  bed.put("a", route("v1"));
  await bed.start();
  await eventually(() => bed.logged.join()).toContain("in this cluster a Sandbox has no status");
  expect(bed.logged.join()).toContain("of an older version");
});

test("a status whose fields the cluster does not know is cut short to its conditions", async () => {
  const bed = await withServices();
  const message =
    "failed to create typed patch object (demo/a; keyway.dev/v1alpha1, Kind=Sandbox): .status.key: field not declared in schema";
  bed.api.faults.add(
    STATUS,
    (_, response) => {
      response.writeHead(500, { "content-type": "application/json" });
      response.end(JSON.stringify(new Refusal(500, "InternalError", message).body()));
    },
    5,
  );
  bed.put("a", route("v1"));
  await bed.start();
  await bed.reaches("a", "InForce", "InForce");
  expect(bed.logged.join()).toContain("keyway render crds");
});

test("a namespace that is going away keeps nobody busy", async () => {
  const bed = await withServices();
  bed.api.faults.add(/^POST .*events/, namespaceTerminating("events", "a", "demo"), 1000);
  bed.put("a", { routes: [{ service: "nowhere", to: "v1" }] });
  await bed.start();
  await bed.reaches("a", "Resolved", "!ServiceNotFound");
  // The event is tried once after the status is written.
  await eventually(() => bed.api.requests.some((one) => /^POST .*events/.test(one))).toBe(true);
  const requests = counting(bed, /keyway\.dev|events/);
  await sleep(400);
  expect(requests()).toEqual([]);
  bed.delete("a");
  await sleep(100);
  expect(counting(bed, /.*/)().filter((one) => one.includes("/a"))).toEqual([]);
});

test("somebody who changes statuses all the time makes nobody write all the time", async () => {
  const bed = await withServices();
  bed.put("a", route("v1"));
  await bed.start();
  await bed.reaches("a", "InForce", "InForce");
  const writes = counting(bed, STATUS);
  const until = performance.now() + 1500;
  while (performance.now() < until) {
    const resource = bed.get("a");
    if (resource) bed.api.put({ ...resource, status: { key: "mine" } } as never);
    await sleep(2);
  }
  expect(writes().length).toBeLessThan(40);
});

test("with nothing to do it asks for its lease alone", async () => {
  const bed = await withServices();
  for (let n = 0; n < 50; n++) bed.put(`s-${n}`, route("v1"));
  await bed.start();
  for (let n = 0; n < 50; n++) await bed.reaches(`s-${n}`, "InForce", "InForce");
  await sleep(200);
  const requests = counting(bed, /.*/);
  await sleep(1000);
  expect(requests().filter((one) => !one.includes("/leases"))).toEqual([]);
});

test("a change among 1,000 Sandboxes takes the requests and the looks of one among ten", async () => {
  const cost = async (size: number) => {
    const bed = await withServices();
    for (let n = 0; n < size; n++) bed.put(`s-${n}`, route("v1"), { labels: { team: `t-${n}` } });
    await bed.start();
    await expect
      .poll(
        () =>
          Array.from({ length: size }, (_, n) => bed.condition(`s-${n}`, "InForce")).every((one) => one === "InForce"),
        {
          timeout: 60_000,
          interval: 200,
        },
      )
      .toBe(true);
    await sleep(300);
    const requests = counting(bed, /keyway\.dev|events|services/);
    bed.put("s-5", route("v2"));
    await eventually(() => bed.status("s-5").routes?.[0]?.to).toBe("v2.demo");
    await sleep(300);
    return requests().length;
  };
  expect(await cost(1000)).toBe(await cost(10));
}, 120_000);

test("whatever is killed and started at whatever moment, every status is right in the end", async () => {
  await checkAsync(
    [
      fc.array(
        fc.record({
          ms: fc.integer({ min: 0, max: 60 }),
          to: fc.constantFrom("v1", "v2", "v3", "none"),
          name: fc.constantFrom("a", "b"),
        }),
        {
          minLength: 3,
          maxLength: 8,
        },
      ),
    ],
    async (steps) => {
      const bed = await withServices();
      let running = await bed.start("one");
      const wanted = new Map<string, string>();
      for (const [at, { ms, to, name }] of steps.entries()) {
        bed.put(name, route(to));
        wanted.set(name, to);
        await sleep(ms);
        await running.end();
        running = await bed.start(`run-${at}`);
      }
      for (const [name, to] of wanted) {
        await bed.reaches(name, "Resolved", to === "none" ? "!ServiceNotFound" : "Resolved");
        await eventually(() => bed.status(name).routes?.[0]?.to).toBe(`${to}.demo`);
      }
      await running.end();
    },
    5,
  );
}, 120_000);
