// Whatever is fed to an import, it is read or refused with words for a person.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SYSTEMS, type System } from "../../import/kinds.ts";
import { KeywayError } from "../../shared/errors.ts";
import { check } from "../property.ts";
import { ALL } from "./fixtures.ts";
import { mistakeIn, read } from "./read.ts";

const WORDS = [
  ...[
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "namespace",
    "labels",
    "annotations",
    "spec",
    "status",
    "items",
    "http",
  ],
  ...[
    "match",
    "headers",
    "exact",
    "regex",
    "prefix",
    "route",
    "destination",
    "host",
    "subset",
    "weight",
    "hosts",
    "port",
  ],
  ...["routingRules", "routingKey", "routing_key", "baseline", "mappings", "workloadPort", "destinations", "managed"],
  ...["fromPort", "toService", "targetService", "op", "rules", "services", "backends", "tags", "priority", "actions"],
  ...["sharedNamespace", "service", "divertKey", "forks", "forkOf", "customizations", "images", "ttl", "label", "all"],
  ...["routing.visualstudio.io/route-from", "routing.visualstudio.io/route-on-header", "containers", "ports", "when"],
  ...["__proto__", "constructor", "toString", "split", "to", "key", "query", "queryParams", "uri", "number", "source"],
];
const KINDS = [
  ["networking.istio.io/v1", "VirtualService"],
  ["signadot.com/v1", "IstioRoute"],
  ["signadot.com/v1", "RoutingConfig"],
  ["okteto.com/v1", "Divert"],
  ["amalgam8.io/v1", "RoutingRule"],
  ["keyway.dev/v1alpha1", "Route"],
  ["v1", "Pod"],
  ["v1", "Service"],
  ["v1", "List"],
] as const;

const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    fc.constantFrom<unknown>(
      null,
      true,
      0,
      -1,
      1e300,
      1.5,
      80,
      "",
      "a",
      "demo",
      "*",
      "a=b",
      "(.*,|^)a:v1(,.*|$)",
      "^(.*?;)?(u=x)(;.*)?$",
      {},
      [],
    ),
    fc.string(),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...WORDS), tie("value"), { maxKeys: 5 }),
  ),
}));

const metadata = fc.record(
  {
    name: fc.constantFrom("a", "b.c", "x"),
    namespace: fc.constantFrom("demo", "x"),
    labels: anyValue,
    annotations: anyValue,
  },
  { requiredKeys: ["name"] },
);
const resource = fc
  .tuple(fc.constantFrom(...KINDS), fc.oneof(metadata, anyValue), anyValue, anyValue)
  .map(([[apiVersion, kind], meta, spec, status]) => ({ apiVersion, kind, metadata: meta, spec, status }));
const whole = fc.oneof(
  anyValue,
  resource,
  fc.array(resource, { maxLength: 3 }).map((items) => ({ apiVersion: "v1", kind: "List", items })),
);

/** The value with another one in the place of one inside of it. */
function withAnother(whole: object, at: number, value: unknown): object {
  const places: [Record<string, unknown>, string][] = [];
  const visit = (inner: object) => {
    for (const [name, own] of Object.entries(inner)) {
      places.push([inner as Record<string, unknown>, name]);
      if (typeof own === "object" && own !== null) visit(own);
    }
  };
  visit(whole);
  const [holder, name] = places[at % places.length] ?? [{}, ""];
  holder[name] = value;
  return whole;
}

function isFine(text: string, from?: System): void {
  try {
    read(text, from === undefined ? {} : { from });
  } catch (thrown) {
    if (!(thrown instanceof KeywayError)) throw thrown;
    expect(thrown.message).not.toBe("");
    expect(thrown.next).toBeDefined();
  }
}

describe("hostile input", () => {
  test("any JSON is read, or refused with a KeywayError", () => {
    const systems = fc.option(fc.constantFrom(...(Object.keys(SYSTEMS) as System[])), { nil: undefined });
    check([whole, systems], (value, from) => isFine(JSON.stringify(value) ?? "null", from), 3000);
  });

  test("a right document with anything in the place of one of its values is", () => {
    const fixture = fc.constantFrom(...Object.values(ALL));
    check(
      [fixture, fc.nat(), anyValue, fc.boolean()],
      (whole, at, value, inList) => {
        const changed = withAnother(structuredClone(whole) as object, at, value);
        isFine(JSON.stringify(inList ? { kind: "List", items: [changed, whole] } : changed));
      },
      5000,
    );
  });

  test("so is any text", () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        "---",
        "...",
        "- a: b",
        "kind: List",
        "items:",
        "  - x",
        "{",
        "]",
        "&a [*a]",
        "a: &b *b",
        "%YAML 1.2",
      ),
    );
    check([fc.array(line, { maxLength: 8 })], (lines) => isFine(lines.join("\n")), 1000);
  });

  test("an alias bomb, deep nesting and two kinds of text at once are told in one line", () => {
    const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]\n${"bcdefghi"
      .split("")
      .map((name, at) => `${name}: &${name} [${Array(10).fill(`*${"abcdefgh"[at]}`).join(", ")}]`)
      .join("\n")}\n`;
    expect(mistakeIn(bomb)).toContain("in.yaml:1:1: not YAML: Excessive alias count");
    for (const [open, close] of ["[]", ['{"a":', "}"]] as [string, string][]) {
      expect(mistakeIn(open.repeat(20_000) + close.repeat(20_000))).toMatch(/^in\.yaml/);
    }
    expect(mistakeIn(`a: ${"[".repeat(50_000)}`)).toMatch(/^in\.yaml/);
    expect(mistakeIn('{"routingRules": [\n{"routingKey": "a",,}]}')).toContain("in.yaml:2:");
    expect(mistakeIn("kind: [\n")).toContain("in.yaml:");
  });

  test("all mistakes are told with their places, and what is of no known kind", () => {
    const text = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: demo}
spec:
  hosts: reviews
  http:
  - route: [{destination: {host: 5}}]
---
what: is this
`;
    expect(mistakeIn(text).split("\n")).toEqual([
      "3 mistakes",
      "  in.yaml:9:1: this is none of the kinds that are read: it has the fields what",
      "  in.yaml:5:3: VirtualService demo/reviews: spec.hosts: expected a list",
      "  in.yaml:7:28: VirtualService demo/reviews: spec.http[0].route[0].destination.host: expected a text",
    ]);
    expect(mistakeIn("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n")).toBe(
      "in.yaml:1:1: Deployment a: nothing in here can be imported",
    );
    expect(mistakeIn("[1, 2]")).toBe("in.yaml:1:1: this is none of the kinds that are read: a list of 2");
    expect(mistakeIn({ routingRules: [] }, { from: "okteto" })).toContain("nothing of Okteto");
  });
});
