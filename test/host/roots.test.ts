import { expect, test } from "vitest";
import { Envoy } from "./emulator/envoy.ts";
import { filterCode, proxyWith } from "./module.ts";

const to = (target: string, key = "k") => ({ routes: [{ from: "reviews", key, to: target }] });
const asked = { headers: { "x-routing-key": "k" } };

function proxy(...targets: string[]): Envoy {
  const envoy = new Envoy(filterCode, { workers: 2 });
  for (const name of targets) envoy.process.clusters.set(name, true);
  return envoy;
}

test("two filters of the same name with different configurations don't see each other", () => {
  const envoy = proxy("a", "b");
  const [one, two] = [envoy.filter(), envoy.filter()];
  one.configure(to("a"));
  two.configure(to("b"));
  const both = (worker: number) => [one, two].map((filter) => filter.request({ ...asked, worker }).cluster);
  for (let i = 0; i < 300; i++) for (const worker of [0, 1]) expect(both(worker)).toEqual(["a", "b"]);
  one.configure(to("b"));
  two.configure(to("a"));
  for (let i = 0; i < 300; i++) expect(both(0)).toEqual(["b", "a"]);
  two.configure({ routes: [] });
  expect(both(1)).toEqual(["b", "reviews"]);
  two.remove();
  expect(one.request(asked).cluster).toBe("b");
});

test("many filters, some of other names, keep their own tables through updates", () => {
  const targets = Array.from({ length: 12 }, (_, i) => `t${i}`);
  const envoy = proxy(...targets);
  const filters = targets.map((_, i) => envoy.filter(i % 3 === 0 ? "keyway" : `keyway-${i % 3}`));
  for (let round = 0; round < 4; round++) {
    filters.forEach((filter, i) => {
      filter.configure({ ...to(targets[(i + round) % targets.length] as string), explain: round % 2 === 0 });
    });
    for (const worker of [0, 1]) {
      const clusters = filters.map((filter) => filter.request({ ...asked, worker }).cluster);
      expect(clusters).toEqual(targets.map((_, i) => targets[(i + round) % targets.length]));
    }
  }
});

test("a stream that began under the old configuration, and one under the new, each have theirs", () => {
  const { envoy, filter } = proxyWith(to("old"));
  envoy.process.clusters.set("old", true).set("new", true);
  const first = filter.open(asked);
  filter.configure(to("new"));
  const second = filter.open(asked);
  expect([first.outcome.cluster, second.outcome.cluster]).toEqual(["old", "new"]);
  first.end();
  expect(filter.request(asked).cluster).toBe("new");
  second.end();
  expect(filter.request(asked).cluster).toBe("new");
});

test.each([
  ["the second ends before a request comes", 0],
  ["one of them ends afterwards", 1],
])("a rejected configuration goes on with the newest table, though streams hold all of them; %s", (_, ends) => {
  const { envoy, filter } = proxyWith(to("oldest"));
  for (const name of ["oldest", "older", "newest"]) envoy.process.clusters.set(name, true);
  const held = [filter.open(asked)];
  filter.configure(to("older"));
  held.push(filter.open(asked));
  filter.configure(to("newest"));
  held.push(filter.open(asked));
  filter.configure("{");
  if (ends === 0) {
    held[1]?.end();
    envoy.tick();
  }
  for (let i = 0; i < 3; i++) expect(filter.request(asked).cluster).toBe("newest");
  if (ends === 1) held[1]?.end();
  for (let i = 0; i < 300; i++) expect(filter.request(asked).cluster).toBe("newest");
});

test("the same configuration in two places is one root context", () => {
  const envoy = proxy("a");
  const [one, two] = [envoy.filter(), envoy.filter()];
  one.configure(to("a"));
  two.configure(to("a"));
  one.remove();
  expect(two.request(asked).cluster).toBe("a");
  expect([...envoy.vm(envoy.workerThread(0), filterCode).contexts.keys()]).toHaveLength(2);
});

test("two filters in one chain: the selection of the first stands", () => {
  const envoy = proxy("a", "b");
  const one = envoy.filter("keyway");
  const two = envoy.filter("keyway-two");
  one.configure(to("a"));
  two.configure(to("b"));
  expect(two.follow(one.open(asked)).cluster).toBe("a");
});
