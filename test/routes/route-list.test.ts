import { expect, test } from "vitest";
import { fromFileEntry, toFileEntry } from "../../routes/model/file-entry.ts";
import { ConfigurationError, formatDiagnostic } from "../../routes/reading/diagnostic.ts";
import { parseRouteList } from "../../routes/reading/route-list.ts";

const NOW = Date.UTC(2030, 0, 1) / 1000;
const read = (text: string) => parseRouteList(text, { now: NOW, idFor: ({ key = "none" }) => `made-${key}` });

function diagnostics(text: string): string[] {
  try {
    read(text);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.diagnostics.map((one) => `${one.at?.line}:${one.at?.col}: ${formatDiagnostic(one)}`);
  }
}

test("what names clusters alone is a route from a cluster, and anything else one from a service", () => {
  const { routes, settings } = read(
    `
keys: [okteto]
strict: true
routes:
  - {service: {cluster: a}, key: "1", to: {cluster: b}}
  - {service: {cluster: a}, key: "2", to: b}
  - {service: "*", key: "3", split: [{to: x, weight: 1}]}
`.replace("split: [{to: x, weight: 1}]", "to: {cluster: x}"),
  );
  expect(settings).toEqual(["keys", "strict"]);
  expect(routes.map(({ route }) => route)).toEqual([
    { id: "made-1", from: "a", key: "1", to: "b" },
    { id: "made-2", service: { cluster: "a" }, key: "2", to: "b" },
    { id: "made-3", from: "*", key: "3", to: "x" },
  ]);
  for (const { route } of routes) expect(fromFileEntry({ ...toFileEntry(route), id: route.id })).toEqual(route);
});

test("a list that the route server gave out is read as well", () => {
  const text = JSON.stringify({ routes: [{ id: "x", from: "a", key: "k", to: "b", revision: 7 }], revision: 9 });
  expect(read(text).routes.map(({ route }) => route)).toEqual([{ id: "x", from: "a", key: "k", to: "b" }]);
});

test("a time that is over is told, and one that is to come kept in UTC", () => {
  const { routes } = read(`routes:
  - {service: a, key: "1", to: b, expires: "2030-01-01T02:00:00+02:00"}
  - {service: a, key: "2", to: b, expires: "2030-01-01T02:00:01+02:00"}
  - {service: a, key: "3", to: b, ttl: 2h}
`);
  expect(routes.map(({ expired, ttl, route }) => [expired, ttl, route.expires])).toEqual([
    [true, undefined, "2030-01-01T00:00:00Z"],
    [false, undefined, "2030-01-01T00:00:01Z"],
    [false, "2h", undefined],
  ]);
});

test.each([
  ["routes: 7", "1:1: routes: expected a list of routes"],
  ["route: []", '1:1: unknown field "route"'],
  ["routes: [7]", "1:10: routes[0]: expected an object"],
  ["routes: [{service: a, from: b, key: k, to: c}]", "1:10: routes[0]: write service or from, not both"],
  ["routes: [{service: a, key: k, to: b, ttl: soon}]", "routes[0].ttl: expected a duration"],
  [
    "routes: [{service: a, key: k, to: b}, {service: a, key: k, to: c}]",
    "1:39: routes[1]: same from and key as routes[0]",
  ],
  [
    "routes: [{service: a, key: k, to: b, id: x}, {service: c, key: l, to: c, id: x}]",
    "routes[1]: the same id as routes[0]: x",
  ],
])("%s", (text, message) => {
  expect(diagnostics(text)).toEqual([expect.stringContaining(message)]);
});

test("a large text of JSON has the same places as a small one", () => {
  const routes = Array.from({ length: 20_000 }, (_, at) => ({
    service: "reviews",
    key: `pr-${at}`,
    to: `reviews-${at}`,
  }));
  const text = JSON.stringify({ routes }, null, 1);
  expect(text.length).toBeGreaterThan(1_000_000);
  expect(read(text).routes).toHaveLength(20_000);
  const [first = ""] = diagnostics(text.replace('"to": "reviews-10000"', '"too": 1'));
  expect(first).toMatch(/^50006:4: routes\[10000\]: unknown field "too"/);
});
