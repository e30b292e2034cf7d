import { expect, test, vi } from "vitest";
import { SandboxTable } from "../../controller/plan/sandbox-table.ts";
import { targetText } from "../../controller/plan/texts.ts";
import { fork, sandbox } from "./sandboxes.ts";

const old = { creationTimestamp: "2029-01-01T00:00:00Z" };

/** Where the requests of a Sandbox go, as `SERVICE TARGET (FROM)`. */
function routesOf(table: SandboxTable, name: string, namespace = "demo"): string[] {
  const { routes = [] } = table.verdict(namespace, name) ?? {};
  return routes.map(
    ({ route, from }) => `${JSON.stringify(route.service ?? route.from)} ${targetText(route)} (${from})`,
  );
}

test("a Sandbox is routes under its name, in its namespace", () => {
  const table = new SandboxTable();
  const spec = {
    ttl: "1h",
    routes: [
      { service: "reviews", to: "reviews-pr-42" },
      { service: "ratings.shop:http", to: { service: "ratings", subset: "v3" }, missing: "fail" as const },
      { service: "*", to: "rest:80", when: [{ header: "x-a", present: true }] },
      { service: { cluster: "a" }, to: { cluster: "b" } },
    ],
  };
  const { set, delete: gone, verdicts } = table.putSandbox(sandbox("pr-42", spec, { labels: { team: "checkout" } }));
  const common = {
    key: "pr-42",
    expires: "2030-01-01T01:00:00Z",
    owner: "Sandbox demo/pr-42",
    labels: { team: "checkout", "keyway.dev/sandbox": "pr-42" },
  };
  expect(set).toEqual([
    { id: "sandboxes/demo/pr-42/0000", service: "reviews.demo", to: "reviews-pr-42.demo", ...common },
    {
      id: "sandboxes/demo/pr-42/0001",
      service: "ratings.shop:http",
      to: { service: "ratings.shop", subset: "v3" },
      missing: "fail",
      ...common,
    },
    {
      id: "sandboxes/demo/pr-42/0002",
      service: "*",
      to: "rest.demo:80",
      when: [{ header: "x-a", present: true }],
      ...common,
    },
    { id: "sandboxes/demo/pr-42/0003", from: "a", to: "b", ...common },
  ]);
  expect({ gone, verdicts }).toEqual({ gone: [], verdicts: ["demo/pr-42"] });
  expect(table.verdict("demo", "pr-42")).toMatchObject({
    key: "pr-42",
    expires: "2030-01-01T01:00:00Z",
    accepted: { ok: true, reason: "Accepted" },
  });
});

test("a change tells what became different, and nothing where nothing did", () => {
  const table = new SandboxTable();
  const one = { service: "a", to: "a1" };
  table.putSandbox(sandbox("s", { routes: [one, { service: "b", to: "b1" }] }));
  expect(table.putSandbox(sandbox("s", { routes: [one, { service: "b", to: "b1" }] }))).toMatchObject({
    set: [],
    delete: [],
  });
  const change = table.putSandbox(sandbox("s", { key: "s", expires: "2030-01-01T01:00:00+01:00", routes: [one] }));
  expect(change.set).toMatchObject([{ id: "sandboxes/demo/s/0000", expires: "2030-01-01T00:00:00Z" }]);
  expect(change.delete).toEqual(["sandboxes/demo/s/0001"]);
  expect(table.removeSandbox("demo", "s")).toMatchObject({ set: [], delete: ["sandboxes/demo/s/0000"] });
  expect(table.verdict("demo", "s")).toBeUndefined();
  expect(table.removeSandbox("demo", "s")).toEqual({ set: [], delete: [], verdicts: [] });
});

test("a status that was written is no change", () => {
  const table = new SandboxTable();
  const spec = { routes: [{ service: "a", to: "b" }] };
  table.putSandbox(sandbox("s", spec, { generation: 1, resourceVersion: "1" }));
  const again = table.putSandbox(sandbox("s", spec, { generation: 1, resourceVersion: "2" }));
  expect(again).toEqual({ set: [], delete: [], verdicts: [] });
  const labelled = table.putSandbox(sandbox("s", spec, { generation: 1, labels: { a: "b" } }));
  expect(labelled.set).toMatchObject([{ labels: { a: "b" } }]);
});

test("one that is being deleted has no routes any more, and no key", () => {
  const table = new SandboxTable();
  const spec = { key: "k", routes: [{ service: "a", to: "b" }] };
  table.putSandbox(sandbox("first", spec, old));
  table.putSandbox(sandbox("second", spec));
  const change = table.putSandbox(sandbox("first", spec, { ...old, deletionTimestamp: "2030-01-02T00:00:00Z" }));
  expect(change.delete).toEqual(["sandboxes/demo/first/0000"]);
  expect(change.set).toMatchObject([{ id: "sandboxes/demo/second/0000" }]);
  expect(change.verdicts).toEqual(["demo/first", "demo/second"]);
});

test("of two Sandboxes with one key, in whatever namespaces, the older one has it", () => {
  const table = new SandboxTable();
  const spec = { key: "k", routes: [{ service: "a", to: "b" }] };
  table.putSandbox(sandbox("young", spec));
  const change = table.putSandbox(sandbox("old", spec, { ...old, namespace: "shop" }));
  expect(change.delete).toEqual(["sandboxes/demo/young/0000"]);
  expect(change.verdicts).toEqual(["demo/young", "shop/old"]);
  expect(table.verdict("demo", "young")?.accepted).toEqual({
    ok: false,
    reason: "KeyTaken",
    message: "Sandbox shop/old, which is older, has the key k; write another one in spec.key, or delete that Sandbox",
  });
  expect(table.removeSandbox("shop", "old").set).toMatchObject([{ id: "sandboxes/demo/young/0000" }]);
  expect(table.verdict("demo", "young")?.accepted.ok).toBe(true);
});

test("a Sandbox that contradicts itself has no routes, and says which", () => {
  const table = new SandboxTable();
  const routes = [
    { service: "reviews.demo:9080", to: "x" },
    { service: "reviews", to: "y" },
  ];
  const { set } = table.putSandbox(sandbox("s", { routes }));
  expect(set).toEqual([]);
  expect(table.verdict("demo", "s")?.accepted).toEqual({
    ok: false,
    reason: "Invalid",
    message: "spec.routes[1]: same service as routes[0]; mend it and apply it again",
  });
});

test.each([
  ["a key that is none", { key: "a,b" }, "spec.key: a key is printable ASCII without space, comma and semicolon"],
  ["two ends", { ttl: "1h", expires: "2030-01-01T00:00:00Z" }, "spec.ttl: write ttl or expires, not both"],
  ["a workload that can't be forked", { forks: [{ workload: "Job/a" }] }, "spec.forks[0].workload: expected KIND/NAME"],
  ["a workload twice", { forks: [{ workload: "Deployment/a" }, { workload: "Deployment/a" }] }, "is forked twice"],
  ["no label", { include: { matchLabels: {} } }, "spec.include.matchLabels: at least one label is needed"],
])("%s is told by its place", (_, spec, message) => {
  const table = new SandboxTable();
  table.putSandbox(sandbox("s", spec));
  expect(table.verdict("demo", "s")?.accepted).toMatchObject({
    ok: false,
    reason: "Invalid",
    message: expect.stringContaining(message),
  });
});

test("the Service of a copy takes the requests of its baseline, whichever of both is known first", () => {
  const spec = { forks: [{ workload: "Deployment/details" }, { workload: "Deployment/reviews" }], routes: [] };
  const early = new SandboxTable();
  early.putFork(fork("s", "reviews"));
  early.putFork(fork("s", "details"));
  early.putSandbox(sandbox("s", spec));
  const late = new SandboxTable();
  late.putSandbox(sandbox("s", spec));
  late.putFork(fork("s", "reviews"));
  const change = late.putFork(fork("s", "details"));
  expect(change.verdicts).toEqual(["demo/s"]);
  const expected = [
    '"details.demo" details-s.demo (fork Deployment/details)',
    '"reviews.demo" reviews-s.demo (fork Deployment/reviews)',
  ];
  expect(routesOf(early, "s")).toEqual(expected);
  expect(routesOf(late, "s")).toEqual(expected);
  expect(late.removeFork("demo", "reviews-s").delete).toEqual(["sandboxes/demo/s/0001"]);
});

test("a copy that the spec does not have any more, or that an earlier Sandbox of the name made, takes no requests", () => {
  const table = new SandboxTable();
  table.putFork(fork("s", "reviews"));
  table.putFork(fork("s", "details", { uid: "uid-of-an-earlier-one" }));
  table.putSandbox(sandbox("s", { forks: [{ workload: "Deployment/reviews" }, { workload: "Deployment/details" }] }));
  expect(routesOf(table, "s")).toEqual(['"reviews.demo" reviews-s.demo (fork Deployment/reviews)']);
  table.putSandbox(sandbox("s", { forks: [{ workload: "Deployment/details" }] }));
  expect(routesOf(table, "s")).toEqual([]);
});

test("a route of the spec wins over a copy's", () => {
  const table = new SandboxTable();
  table.putFork(fork("s", "reviews"));
  table.putSandbox(
    sandbox("s", { routes: [{ service: "reviews:9080", to: "x" }], forks: [{ workload: "Deployment/reviews" }] }),
  );
  expect(routesOf(table, "s")).toEqual(['"reviews.demo:9080" x.demo (spec)']);
});

test("a Sandbox includes the routes of others of its namespace by label, as they come and go", () => {
  const table = new SandboxTable();
  const team = { labels: { team: "checkout" } };
  table.putSandbox(
    sandbox("all", { include: { matchLabels: { team: "checkout" } }, routes: [{ service: "c", to: "own" }] }, team),
  );
  table.putSandbox(sandbox("one", { routes: [{ service: "a", to: "a1" }] }, team));
  table.putSandbox(sandbox("elsewhere", { routes: [{ service: "z", to: "z1" }] }, { ...team, namespace: "shop" }));
  table.putSandbox(sandbox("none", { routes: [{ service: "y", to: "y1" }] }, { labels: { team: "other" } }));
  const two = { routes: [{ service: "b", to: "b1" }], include: { matchLabels: { team: "other" } } };
  expect(table.putSandbox(sandbox("two", two, team)).verdicts).toEqual(["demo/all", "demo/two"]);
  expect(routesOf(table, "all")).toEqual([
    '"c.demo" own.demo (spec)',
    '"a.demo" a1.demo (include one)',
    '"b.demo" b1.demo (include two)',
  ]);
  expect(table.verdict("demo", "all")?.routes.map(({ route }) => route.key)).toEqual(["all", "all", "all"]);
  const change = table.putSandbox(sandbox("one", { routes: [{ service: "c", to: "c1" }] }, team));
  expect(change.delete).toEqual(["sandboxes/demo/all/0002"]);
  expect(routesOf(table, "all")).toEqual(['"c.demo" own.demo (spec)', '"b.demo" b1.demo (include two)']);
  table.putSandbox(sandbox("two", two, { labels: {} }));
  expect(routesOf(table, "all")).toEqual(['"c.demo" own.demo (spec)']);
});

test("of included ones that disagree the older one wins, and all three are told", () => {
  const table = new SandboxTable();
  const labels = { team: "t" };
  table.putSandbox(sandbox("young", { routes: [{ service: "a", to: "y" }] }, { labels }));
  table.putSandbox(sandbox("old", { routes: [{ service: "a:80", to: "o:80" }] }, { labels, ...old }));
  const change = table.putSandbox(sandbox("all", { include: { matchLabels: labels } }));
  expect(routesOf(table, "all")).toEqual(['"a.demo:80" o.demo:80 (include old)']);
  expect(change.verdicts).toEqual(["demo/all", "demo/old", "demo/young"]);
  const conflict = {
    includer: "demo/all",
    winner: "demo/old",
    loser: "demo/young",
    service: "a.demo",
    targets: ["o.demo:80", "y.demo"],
  };
  for (const name of ["all", "old", "young"]) expect(table.verdict("demo", name)?.conflicts).toEqual([conflict]);
  expect(table.removeSandbox("demo", "all").verdicts).toEqual(["demo/all", "demo/old", "demo/young"]);
  expect(table.verdict("demo", "young")?.conflicts).toEqual([]);
});

test("what is included goes at the end of the Sandbox that it comes from, if that is the earlier one", () => {
  const table = new SandboxTable();
  const labels = { team: "t" };
  table.putSandbox(sandbox("short", { ttl: "1h", routes: [{ service: "a", to: "a1" }] }, { labels }));
  table.putSandbox(sandbox("long", { ttl: "3h", routes: [{ service: "b", to: "b1" }] }, { labels }));
  table.putSandbox(sandbox("all", { ttl: "2h", include: { matchLabels: labels } }));
  const ends = table.verdict("demo", "all")?.routes.map(({ route }) => route.expires);
  expect(ends).toEqual(["2030-01-01T02:00:00Z", "2030-01-01T01:00:00Z"]);
});

test("a Route wins over a Sandbox's route for the same requests, and gives it back", () => {
  const table = new SandboxTable();
  const routes = [
    { service: "reviews", to: "x" },
    { service: "ratings", to: "y" },
  ];
  table.putSandbox(sandbox("pr-42", { routes }));
  table.putRoute({ id: "elsewhere", service: "reviews.shop", key: "pr-42", to: "z" });
  const change = table.putRoute({ id: "mine", service: "reviews:9080", key: "pr-42", to: "z:9080" });
  expect(change).toEqual({ set: [], delete: ["sandboxes/demo/pr-42/0000"], verdicts: ["demo/pr-42"] });
  expect(table.verdict("demo", "pr-42")?.taken).toEqual([{ service: "reviews.demo", route: "mine" }]);
  expect(table.putRoute({ id: "mine", service: "reviews", key: "other", to: "z" }).set).toMatchObject([
    { id: "sandboxes/demo/pr-42/0000" },
  ]);
});

test("a change costs what it touches, however many Sandboxes there are", () => {
  const cost = (count: number) => {
    const table = new SandboxTable();
    for (let n = 0; n < count; n++) {
      const routes = ["a", "b", "c"].map((service) => ({ service, to: `${service}-${n}` }));
      table.putSandbox(sandbox(`s-${n}`, { routes }, { labels: { team: `t-${n}` } }));
    }
    // Routes are compared as texts, so that these count the Sandboxes that are looked at.
    const compared = vi.spyOn(JSON, "stringify");
    const { set, verdicts } = table.putSandbox(sandbox("s-5", { routes: [{ service: "a", to: "z" }] }));
    const calls = compared.mock.calls.length;
    compared.mockRestore();
    return [set.length, verdicts.length, calls];
  };
  expect(cost(1000)).toEqual(cost(10));
});
