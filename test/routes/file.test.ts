import { expect, test } from "vitest";
import { isConfiguration } from "../../routes/reading/configuration.ts";
import { ConfigurationError, formatDiagnostic } from "../../routes/reading/diagnostic.ts";
import { parseRouteFile } from "../../routes/reading/route-file.ts";

/** The diagnostics about a file, each as `line:column: place: message`. */
function diagnostics(text: string): string[] {
  try {
    parseRouteFile(text);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.diagnostics.map((one) => `${one.at?.line}:${one.at?.col}: ${formatDiagnostic(one)}`);
  }
}

test("reads what the contract shows", () => {
  const { keys, routes, explain, strict } = parseRouteFile(`
keys: [header:x-routing-key, signadot]
routes:
  - {service: reviews:9080, key: pr-42, to: reviews-pr-42}            # same namespace and port unless said
  - {service: ratings.shop:http, key: pr-42, to: ratings-pr-42.shop:9080}
  - {service: reviews, when: [{cookie: user, exact: alice}], to: {service: reviews, subset: v2}}
  - {service: reviews, split: [{to: reviews-v3, weight: 10}], sticky: "cookie:session"}
`);
  expect({ keys, explain, strict }).toEqual({
    keys: ["header:x-routing-key", "signadot"],
    explain: false,
    strict: false,
  });
  expect(routes).toEqual([
    { from: "reviews:9080", key: "pr-42", to: "reviews-pr-42" },
    { from: "ratings.shop:http", key: "pr-42", to: "ratings-pr-42.shop:9080" },
    { from: "reviews", when: [{ cookie: "user", exact: "alice" }], to: { service: "reviews", subset: "v2" } },
    { from: "reviews", split: [{ to: "reviews-v3", weight: 10 }], sticky: "cookie:session" },
  ]);
});

test("an empty file has the default source and no routes", () => {
  expect(parseRouteFile("# nothing yet\n")).toMatchObject({ keys: ["header:x-routing-key"], routes: [] });
});

test("JSON is YAML too", () => {
  expect(parseRouteFile('{"routes": [{"service": "*", "key": "k", "to": {"cluster": "c"}}]}').routes).toEqual([
    { from: "*", key: "k", to: { cluster: "c" } },
  ]);
});

test.each([
  [
    "not closed",
    "routes: [",
    "1:10: not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
  ],
  ["a field twice", "keys: [signadot]\nkeys: [bridge]", "2:1: not YAML: Map keys must be unique"],
  ["an alias to nothing", "routes:\n  - *nowhere", "not YAML: Unresolved alias"],
  ["not an object", "- a", "1:1: expected an object"],
  ["an unknown field", "keys: [signadot]\nroute: []", '2:1: unknown field "route"'],
  [
    "an unknown field of a route",
    "routes:\n  - {service: a, key: k, to: b, form: c}",
    '2:33: routes[0]: unknown field "form"',
  ],
  [
    "a number for a key",
    "routes:\n  - service: a\n    key: 42\n    to: b",
    "3:5: routes[0].key: expected a text in quotes",
  ],
  ["a source that there is not", "keys: [signadot, moon]", '1:18: keys[1]: unknown source "moon"'],
  ["no baseline", "routes:\n  - {key: k, to: b}", "2:5: routes[0].service: required"],
  ["no target", "routes:\n  - {service: a, key: k}", "2:5: routes[0].to: required"],
  [
    "a target of an unknown form",
    "routes:\n  - {service: a, key: k, to: {servce: b}}",
    '2:31: routes[0].to: unknown field "servce"',
  ],
  [
    "a subset of nothing",
    "routes:\n  - {service: a, key: k, to: {subset: v2}}",
    "2:26: routes[0].to.service: required",
  ],
  [
    "a service with an impossible name",
    "routes:\n  - {service: A_b, key: k, to: c}",
    "2:6: routes[0].service: not a service's name; expected NAME",
  ],
  [
    "any service as a target",
    "routes:\n  - {service: a, key: k, to: '*'}",
    "2:26: routes[0].to: a target needs a name",
  ],
  [
    "neither key, when nor split",
    "routes:\n  - {service: a, to: c}",
    "2:5: routes[0]: one of key, when, split is needed",
  ],
  [
    "a wrong date",
    "routes:\n  - {service: a, key: k, to: c, expires: tomorrow}",
    "2:33: routes[0].expires: expected a date like",
  ],
  [
    "an unknown part of the request",
    "routes:\n  - service: a\n    when:\n      - {request: body, exact: x}\n    to: b",
    "4:10: routes[0].when[0].request: expected path, method, host or caller",
  ],
  [
    "a condition on two things",
    "routes:\n  - service: a\n    when:\n      - {request: path, header: h, exact: x}\n    to: b",
    "4:9: routes[0].when[0]: exactly one of header, cookie, query, request is needed",
  ],
  [
    "not without a comparison",
    "routes:\n  - service: a\n    when:\n      - {request: path, not: true}\n    to: b",
    "4:9: routes[0].when[0]: exactly one of exact, prefix, suffix, contains, present is needed",
  ],
  [
    "not that is no flag",
    "routes:\n  - {service: a, when: [{header: h, exact: x, not: 1}], to: b}",
    "2:47: routes[0].when[0].not: expected true or false",
  ],
  [
    "a key with shares",
    "routes:\n  - {service: a, key: k, split: [{to: b, weight: 1}]}",
    "2:26: routes[0].split: a route with a key has one target; write to",
  ],
  [
    "shares and a target under a condition",
    "routes:\n  - {service: a, when: [{header: h, exact: x}], split: [{to: b, weight: 1}], to: c}",
    "2:78: routes[0].to: a split names its targets itself",
  ],
  [
    "missing by another word",
    "routes:\n  - {service: a, key: k, to: c, missing: drop}",
    "2:33: routes[0].missing: expected fail or baseline",
  ],
  ["a hierarchy of two characters", 'hierarchy: "::"', "1:1: hierarchy: expected one character that a key may contain"],
  ["the plugin's own field", "hopMark: route", '1:1: unknown field "hopMark"'],
])("%s: line, column, place and what was expected", (_, text, diagnostic) => {
  expect(diagnostics(text).join("\n")).toContain(diagnostic);
});

test("all mistakes are told at once", () => {
  const text = "keys: [moon]\nroutes:\n  - {service: a, key: k}\n  - {service: b, to: c}\n";
  expect(diagnostics(text)).toEqual([
    '1:8: keys[0]: unknown source "moon"',
    "3:5: routes[0].to: required",
    "4:5: routes[1]: one of key, when, split is needed",
  ]);
});

test("a bomb of aliases is refused, not built", () => {
  const levels = Array.from(
    { length: 12 },
    (_, level) => `l${level + 1}: &l${level + 1} [${Array(10).fill(`*l${level}`)}]`,
  );
  expect(diagnostics(`l0: &l0 [x]\n${levels.join("\n")}`)[0]).toContain("not YAML: ");
});

test.each([
  [{ routes: [{ from: "a", key: "k", to: "b" }] }, true],
  [{ routes: [{}, { from: "a" }] }, true],
  [{ hopMark: "route", routes: [] }, true],
  [{ routes: [{ service: "a", key: "k", to: "b" }] }, false],
  [{ keys: ["signadot"] }, false],
  [{ routes: "from" }, false],
  [null, false],
  ["from", false],
])("%j is a plugin configuration: %j", (value, is) => {
  expect(isConfiguration(value)).toBe(is);
});

test("an id, a workload, an owner and labels are for the live table, and proxies are told nothing of them", () => {
  const workload = "{kind: Deployment, namespace: demo, name: reviews, port: 9080}";
  const entry = `{service: reviews, key: pr-42, to: b, id: a/b, owner: me, labels: {team: checkout}, workload: ${workload}}`;
  expect(parseRouteFile(`routes: [${entry}]`).routes).toEqual([{ from: "reviews", key: "pr-42", to: "b" }]);
  expect(diagnostics("routes: [{service: a, key: k, to: b, id: a//b, labels: {x: 1}}]")).toEqual([
    expect.stringContaining("routes[0].id: an id is letters"),
    expect.stringContaining("routes[0].labels.x: expected a text in quotes"),
  ]);
});

test.each([
  [
    "{}",
    ["workload.kind: required", "workload.namespace: required", "workload.name: required", "workload.port: required"],
  ],
  ["Deployment/reviews", ["workload: expected an object"]],
  [
    "{kind: deployment, namespace: a.b, name: A, port: 0}",
    ["kind: expected a kind", "not a namespace", "not a workload", "port: expected a container's port"],
  ],
  [
    "{kind: Deployment, namespace: demo, name: reviews, port: http}",
    ["workload.port: expected a container's port, 1 to 65535"],
  ],
  ["{kind: Deployment, namespace: demo, name: reviews, port: 80, image: x}", ["image"]],
])("a workload that is none: %s", (workload, messages) => {
  expect(diagnostics(`routes: [{service: a, key: k, to: b, workload: ${workload}}]`)).toEqual(
    messages.map((message) => expect.stringContaining(message)),
  );
});
