// A target that does not exist when it is first selected costs no caller a request; one that has no host, or goes away, costs one
// request at most, whatever the number of workers.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cluster, Listener } from "../../scripts/proxy/bootstrap.ts";
import { type Bed, startBed } from "./bed/bed.ts";
import { cluster } from "./bed/bootstrap.ts";
import { type Answer, type Ask, connection } from "./bed/client.ts";
import { Ecds } from "./bed/ecds.ts";
import { until } from "./bed/until.ts";
import { Watched } from "./bed/watched.ts";

const WORKERS = 2;

const TARGETS = ["never", "comes", "goes", "unhealthy", "by-condition"];

let bed: Bed;
let ports: Record<string, number>;
const cds = new Watched();

/** Says which of the targets exist; a target without a port has no host. */
function targets(...clusters: Cluster[]): void {
  cds.write("envoy.config.cluster.v3.Cluster", clusters);
}

beforeAll(async () => {
  bed = await startBed({
    config: {
      routes: [
        ...TARGETS.map((target) => ({ from: "reviews", key: target, to: target })),
        { from: "reviews", key: "good", to: "good" },
        { from: "reviews", when: [{ header: "x-user", exact: "alice" }], to: "by-condition" },
      ],
      explain: true,
    },
    targets: [...TARGETS, "good"],
    concurrency: WORKERS,
    change: (made, served) => {
      ports = served;
      made.static_resources.clusters = made.static_resources.clusters.filter(({ name }) => !TARGETS.includes(name));
      made.dynamic_resources = { cds_config: cds.source };
      targets(cluster("unhealthy"));
    },
  });
});
afterAll(async () => {
  await bed.stop();
  cds.remove();
});

/** Requests one after the other, each on a connection of its own, so that they spread over the workers. */
async function series(count: number, what: Ask): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let i = 0; i < count; i++) answers.push(await bed.ask(what));
  return answers;
}

const keyed = (key: string): Ask => ({ headers: { "x-routing-key": key } });

/** For targets that were there: the watcher learns of their end by the first request that fails, on whichever worker. */
function expectOnlyFirstFailed(answers: Answer[]): void {
  const failed = answers.filter(({ status }) => status !== 200);
  expect(failed.length).toBeLessThanOrEqual(1);
  expect(failed.every(({ status }) => status === 503)).toBe(true);
  expect(new Set(answers.slice(1).map(({ service }) => service || "none"))).toEqual(new Set(["reviews"]));
}

function expectNoneFailed(answers: Answer[]): void {
  expect(new Set(answers.map(({ service, status }) => service || String(status)))).toEqual(new Set(["reviews"]));
}

describe.each([
  ["that does not exist", keyed("never"), expectNoneFailed],
  ["that has no host", keyed("unhealthy"), expectOnlyFirstFailed],
  ["of a route with conditions", { headers: { "x-user": "alice" } }, expectNoneFailed],
])("a target %s", (_, what, expectRightly) => {
  test("fails no request, or only the first; all others go to the baseline", async () => {
    expectRightly(await series(40, what));
  });

  test("fails none for as long as it is missing", async () => {
    const agent = connection();
    for (let i = 0; i < 40; i++) {
      expect((await bed.ask({ ...what, agent })).service).toBe("reviews");
      await sleep(75);
    }
    agent.destroy();
  });
});

test("requests for other targets do not notice", async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => bed.ask(keyed("good"))));
  expect(new Set(answers.map(({ service }) => service))).toEqual(new Set(["good"]));
});

test("explain says that the target is missing", async () => {
  await series(5, keyed("never"));
  const { body } = await bed.ask({ headers: { "x-routing-key": "never", "x-keyway-explain": "1" } });
  expect(JSON.parse(body)).toMatchObject({ outcome: "missing_target", key: "never", to: "never" });
});

test("a target that comes gets its requests, and none fails on the way", async () => {
  expectNoneFailed(await series(10, keyed("comes")));
  targets(cluster("comes", ports.comes));
  const seen: Answer[] = [];
  const next = async () => seen[seen.push(await bed.ask(keyed("comes"))) - 1] as Answer;
  await until("the target", next, ({ service }) => service === "comes");
  expect(seen.filter(({ status }) => status !== 200)).toEqual([]);
  expect(new Set((await series(20, keyed("comes"))).map(({ service }) => service))).toEqual(new Set(["comes"]));
});

test("a target that goes, comes and goes again fails at most one request each time", async () => {
  for (let round = 0; round < 2; round++) {
    targets(cluster("goes", ports.goes));
    await until(
      "the target",
      () => bed.ask(keyed("goes")),
      ({ service }) => service === "goes",
    );
    targets();
    const gone = async () => (await bed.envoy.ask("/clusters")).includes("\ngoes::");
    await until("the target's end", gone, (there) => !there);
    expectOnlyFirstFailed(await series(20, keyed("goes")));
  }
});

test("a target whose host comes back gets its requests again", async () => {
  expectNoneFailed(await series(10, keyed("unhealthy")));
  targets(cluster("unhealthy", ports.unhealthy));
  await until(
    "the target",
    () => bed.ask(keyed("unhealthy")),
    ({ service }) => service === "unhealthy",
  );
});

describe("however many other targets never come", () => {
  const nobody = Array.from({ length: 300 }, (_, i) => `never-${i}`);
  const late = new Watched();
  let crowded: Bed;
  let ecds: Ecds;
  let port = 0;
  beforeAll(async () => {
    crowded = await startBed({
      config: { routes: nobody.map((name) => ({ from: "reviews", key: name, to: name })) },
      targets: ["late"],
      change: (made, served) => {
        port = served.late as number;
        made.static_resources.clusters = made.static_resources.clusters.filter(({ name }) => name !== "late");
        made.dynamic_resources = { cds_config: late.source };
        late.write("envoy.config.cluster.v3.Cluster", []);
        ecds = new Ecds(made.static_resources.listeners[0] as Listener);
      },
    });
  });
  afterAll(async () => {
    await crowded.stop();
    late.remove();
    ecds.remove();
  });

  test("a target that comes is used within a second, though its routes came after theirs", async () => {
    for (let again = 0; again < 2; again++)
      for (const name of nobody) expect((await crowded.keyed(name)).service).toBe("reviews");
    await ecds.update(crowded.envoy, { routes: [{ from: "reviews", key: "late", to: "late" }] });
    expect((await crowded.keyed("late")).service).toBe("reviews");
    late.write("envoy.config.cluster.v3.Cluster", [cluster("late", port)]);
    await until(
      "the cluster",
      () => crowded.envoy.ask("/clusters"),
      (text) => text.includes("\nlate::"),
    );
    await until(
      "its use",
      () => crowded.keyed("late"),
      ({ service }) => service === "late",
    );
  });
});
