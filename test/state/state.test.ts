import { expect, test } from "vitest";
import type { StoredRoute } from "../../routes/model/live-route.ts";
import { type Applied, State } from "../../server/state/state.ts";

const route = (id: string, more: Partial<StoredRoute> = {}): StoredRoute => ({
  id,
  service: "reviews",
  key: id,
  to: `reviews-${id}`,
  revision: 1,
  ...more,
});

function stateOf(...routes: StoredRoute[]): State {
  return new State(7n, { revision: 1, routes, since: 1, changes: [] });
}

const ids = (routes: Iterable<{ id: string }>) => [...routes].map(({ id }) => id);

test("lists by each filter, and by several of them at once", () => {
  const state = stateOf(
    route("c", { service: "reviews:9080", owner: "ann", labels: { team: "shop", tier: "1" } }),
    route("a", { owner: "ann", labels: { team: "pay" } }),
    route("b", { service: { service: "reviews.demo:9080", subset: "v2" }, key: "a", owner: "bob" }),
    { id: "d", from: "outbound|9080||reviews", key: "a", to: "x", revision: 1 },
    route("e", { service: { cluster: "outbound|9080||reviews" }, labels: { team: "shop" } }),
  );
  const list = (filter: Parameters<State["list"]>[0]) => ids(state.list(filter, 10));
  expect(list({})).toEqual(["a", "b", "c", "d", "e"]);
  expect(list({ service: "reviews" })).toEqual(["a", "c"]);
  expect(list({ service: "reviews:9080" })).toEqual(["c"]);
  expect(list({ service: "reviews.demo" })).toEqual(["b"]);
  expect(list({ service: "reviews.demo:9080" })).toEqual(["b"]);
  expect(list({ from: "outbound|9080||reviews" })).toEqual(["d", "e"]);
  expect(list({ key: "a" })).toEqual(["a", "b", "d"]);
  expect(list({ owner: "ann" })).toEqual(["a", "c"]);
  expect(list({ owner: "ann", key: "a" })).toEqual(["a"]);
  expect(list({ labels: ["team"] })).toEqual(["a", "c", "e"]);
  expect(list({ labels: ["team=shop", "tier"] })).toEqual(["c"]);
  expect(list({ service: "nobody" })).toEqual([]);
});

test("goes on after any id, there or not", () => {
  const state = stateOf(...["a", "b", "c", "d"].map((id) => route(id)));
  expect(ids(state.list({}, 2))).toEqual(["a", "b"]);
  expect(ids(state.list({}, 2, "b"))).toEqual(["c", "d"]);
  expect(ids(state.list({ service: "reviews" }, 9, "bb"))).toEqual(["c", "d"]);
  expect(ids(state.list({ key: "b" }, 9, "b"))).toEqual([]);
});

test("a change moves a route between the indices, and is told with what was there before", () => {
  const state = stateOf(route("a", { owner: "ann", expires: "2030-01-01T00:00:00Z" }), route("b"));
  const told: Applied[] = [];
  const end = state.onChange((change) => told.push(change));
  const after = route("a", { service: "ratings", key: "k", owner: "bob", revision: 2 });
  state.apply({ revision: 2, set: [after], delete: ["b", "never-there"] });
  end();
  state.apply({ revision: 3, set: [], delete: ["a"] });
  expect(told).toMatchObject([{ revision: 2, set: [{ before: { owner: "ann" }, after }], delete: [{ id: "b" }] }]);
  expect(ids(state.list({ owner: "ann" }, 9))).toEqual([]);
  expect([...state.expiring()]).toEqual([]);
  expect(state.size).toBe(0);
  expect(state.revision).toBe(3);
});

test("the log begins where it was loaded, and forgets the oldest changes when there are too many", () => {
  const changes = [{ revision: 5, set: [], delete: ["gone"] }];
  const state = new State(7n, { revision: 5, routes: [], since: 4, changes }, 3);
  expect(state.log.since).toBe(4);
  expect(state.log.after(4)).toMatchObject({ revision: 5, delete: [{ id: "gone" }] });
  expect(state.log.after(5)).toBeUndefined();
  state.apply({ revision: 8, set: [route("a"), route("b")], delete: [] });
  expect([state.log.since, state.log.after(5)?.revision]).toEqual([4, 8]);
  state.apply({ revision: 9, set: [], delete: ["a"] });
  expect([state.log.since, state.log.after(5)?.revision, state.log.after(8)?.revision]).toEqual([5, 8, 9]);
});

test("routes that expire come in the order in which they do", () => {
  const state = stateOf(
    route("a", { expires: "2030-01-02T00:00:00Z" }),
    route("b", { expires: "2030-01-01T00:00:00Z" }),
    route("c"),
  );
  expect(ids(state.expiring())).toEqual(["b", "a"]);
});

/** Routes of services, keys, owners and labels of which there are few. */
const some = (from: number, to: number, revision: number): StoredRoute[] =>
  Array.from({ length: to - from }, (_, i) => i + from).map((at) =>
    route(`r-${at}`, {
      service: `s-${at % 7}`,
      key: `k-${at % 1000}`,
      owner: `o-${(at + revision) % 11}`,
      labels: { team: `t-${at % 3}` },
      revision,
      ...(at % 5 === 0 && { expires: `20${30 + (at % 60)}-01-01T00:00:00Z` }),
    }),
  );

test("a change of many routes is made in slices, seen as a whole, and told once; later changes come after it", async () => {
  const state = stateOf(...some(0, 3000, 1));
  const control = stateOf(...some(0, 3000, 1));
  const told: [number, number, number][] = [];
  state.onChange(({ revision, set, delete: gone }) => told.push([revision, set.length, gone.length]));
  const gone = some(0, 1000, 1).map(({ id }) => id);
  state.apply({ revision: 2, set: some(1000, 40_000, 2), delete: [...gone, "never-there"] });
  state.apply({ revision: 3, set: some(500, 510, 3), delete: ["r-1500"] });
  let turns = 0;
  for (; state.revision < 3; turns++) {
    if (state.revision === 1) {
      expect([state.size, state.get("r-0")?.revision, state.get("r-1000")?.revision]).toEqual([3000, 1, 1]);
      expect(state.list({ owner: "o-1" }, 5000)).toEqual(control.list({ owner: "o-1" }, 5000));
      expect([...state.ofKey("k-1")].length).toBe(3);
      expect(state.log.after(1)).toBeUndefined();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(turns).toBeGreaterThan(3);
  expect(told).toEqual([
    [2, 39_000, 1000],
    [3, 10, 1],
  ]);
  const expected = stateOf(...[...some(500, 510, 3), ...some(1000, 40_000, 2)].filter(({ id }) => id !== "r-1500"));
  expect([...state.routes()]).toEqual([...expected.routes()]);
  expect([...state.expiring()]).toEqual([...expected.expiring()]);
  for (const filter of [{ service: "s-1" }, { key: "k-500" }, { owner: "o-3" }, { labels: ["team=t-2"] }]) {
    expect(state.list(filter, 50_000)).toEqual(expected.list(filter, 50_000));
  }
});

test("a revision is reached once its change is made", async () => {
  const state = stateOf();
  state.apply({ revision: 2, set: some(0, 20_000, 2), delete: [] });
  state.apply({ revision: 3, set: some(0, 1, 3), delete: [] });
  expect(state.revision).toBe(1);
  await state.reached(3);
  expect([state.revision, state.size, state.get("r-0")?.revision]).toEqual([3, 20_000, 3]);
  await state.reached(3);
});
