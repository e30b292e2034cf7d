// Random configurations, most of them wrong: both readers take the same ones, and what the module says first is said here too.
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseConfiguration } from "../../routes/reading/configuration.ts";
import { ConfigurationError, formatDiagnostic } from "../../routes/reading/diagnostic.ts";
import { ecdsa, rsa } from "../host/edge-keys.ts";
import { Envoy } from "../host/emulator/envoy.ts";
import { filterCode } from "../host/module.ts";
import { check } from "../property.ts";

const strange = fc.constantFrom<unknown>(
  ...[0, 1, -1, 1.5, true, false, null, "", " ", "x", "a,b", "é", "\n", [], {}, [[]], [null], ["x"], "toString", "*"],
  ...["a".repeat(256), "a".repeat(257), "a".repeat(1025), "a".repeat(4097), "é".repeat(128), "signadot", "header:"],
);
/** Mostly what belongs there. */
const field = (...usual: unknown[]) =>
  fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: strange });
/** An object that has some of the fields, in any order, and at times one that there is not. */
function some(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> {
  const named = Object.entries({ ...fields, __proto: strange, constructor: strange });
  const pair = fc.oneof(
    ...named.map(([name, value]) => ({ weight: name in fields ? 20 : 1, arbitrary: value.map((own) => [name, own]) })),
  );
  return fc.array(pair as fc.Arbitrary<[string, unknown]>, { maxLength: 4 }).map(Object.fromEntries);
}
const listOf = (item: fc.Arbitrary<unknown>) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.array(item, { minLength: 1, maxLength: 2 }) },
    { weight: 1, arbitrary: strange },
  );

const condition = fc.oneof(
  fc.constantFrom({ header: "h", exact: "x" }, { request: "path", prefix: "/", not: true }),
  some({
    header: field("h", "X-H", ":path", "a b"),
    cookie: field("c"),
    query: field("q"),
    request: field("path", "method", "host", "caller"),
    exact: field("x"),
    prefix: field("x"),
    suffix: field("x"),
    contains: field("x"),
    present: field(true, false),
    not: field(true, false),
  }),
);
const weight = field(0, 0.00009, 0.2, 15.9, 83.9, 50, 100, 100.0001, 1e9);
const share = fc.oneof(fc.record({ to: fc.constant("t"), weight }), some({ to: field("t"), weight }));
const parts = {
  from: field("a", "b", "*"),
  to: field("t", "u"),
  key: field("k", "l"),
  when: listOf(condition),
  split: listOf(share),
  sticky: field("cookie:c", "header:H", "okteto", "mirrord", "moon", "host:a"),
  expires: field("2030-01-31T12:00:00Z", "2030-02-30T00:00:00Z"),
  missing: field("fail", "baseline"),
};
const route = fc.oneof(
  fc.record({ from: parts.from, to: parts.to, key: parts.key }),
  fc.record({ from: parts.from, to: parts.to, key: parts.key, when: parts.when, missing: parts.missing }),
  fc.record({ from: parts.from, split: parts.split, sticky: parts.sticky }),
  fc.record({ from: parts.from, when: parts.when, split: parts.split }),
  some(parts),
);
const keyFields = {
  id: field("a", "b", "A.b-c_1", "a~b"),
  publicKey: field(ecdsa().entry.publicKey, rsa().entry.publicKey, "AAAA", "MFkw"),
  secret: field("A".repeat(24), "A".repeat(20), `${"A".repeat(23)}=`, "-".repeat(24), "=".repeat(24)),
};
const edgeKey = fc.oneof(
  fc.record({ id: keyFields.id, publicKey: keyFields.publicKey }),
  fc.record({ id: keyFields.id, secret: keyFields.secret }),
  some(keyFields),
);
const edgeFields = {
  accept: field("none", "signed", "any"),
  keys: listOf(edgeKey),
  traces: field("remove", "keep"),
  unwrap: field(true, false),
};
const edge = fc.oneof(
  fc.record({ accept: edgeFields.accept }),
  fc.record({ accept: fc.constant("signed"), keys: edgeFields.keys, traces: edgeFields.traces }),
  some(edgeFields),
);
const link = fc.oneof(
  field(true, false),
  some({
    query: field("q", "a&b", "a.b"),
    cookie: field("c", "__Host-c", "c=d", "c".repeat(201)),
    seconds: field(1, 60, 34_560_000, 34_560_001),
    sameSite: field("Lax", "Strict", "None", "none"),
    secure: field(true, false, "auto"),
    path: field("/", "/a", "a", "/;"),
  }),
);
const configuration = fc.oneof(
  { weight: 1, arbitrary: fc.record({ edge }) },
  { weight: 3, arbitrary: fc.record({ routes: fc.array(route, { maxLength: 4 }) }) },
  {
    weight: 1,
    arbitrary: some({
      keys: listOf(
        field("header:x", "signadot", "query:k", "jwt:c", "moon:x", "header:a b", "trace", `cookie:${"c".repeat(201)}`),
      ),
      routes: listOf(route),
      hierarchy: field(".", "-", "..", ","),
      trace: fc.oneof(strange, some({ seconds: field(1, 60, 3600, 3601), entries: field(1024, 65537) })),
      emit: listOf(field("header:x", "baggage:k", "query:k", "trace")),
      link,
      hopMark: field("filter", "route"),
      explain: field(true, false),
      strict: field(false),
    }),
  },
);

/** What is wrong, as each reader says it; the module stops at the first mistake. */
function inModule(config: unknown): string | undefined {
  const envoy = new Envoy(filterCode);
  envoy.filter().configure(JSON.stringify(config));
  return envoy.process.lines("error")[0]?.replace("keyway: config: ", "");
}
function here(config: unknown): string[] {
  try {
    parseConfiguration(config);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.diagnostics.map(formatDiagnostic);
  }
}

test("a configuration is taken here just when the module takes it, and for the same reason not", () => {
  let taken = 0;
  check(
    [configuration],
    (config) => {
      const first = inModule(config);
      const all = here(config);
      if (first === undefined) taken++;
      expect(first === undefined ? all : all.includes(first) ? [first] : [all, first]).toEqual(first ? [first] : []);
    },
    1500,
  );
  expect(taken).toBeGreaterThan(150);
});
