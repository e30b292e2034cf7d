// Random tables and requests from few words, so that they meet often.
import fc from "fast-check";
import type { Condition, Route } from "../../routes/model/model.ts";
import { duplicates } from "../../routes/reading/duplicates.ts";
import type { Pairs } from "./emulator/headers.ts";

/** A plugin configuration as it is written; whether it makes sense is for its readers. */
export type Configuration = { keys?: string[]; routes: WrittenRoute[]; explain?: boolean };
type WrittenRoute = { from: string; key?: string; to?: string; [field: string]: unknown };

export const HOST = "reviews.demo.svc.cluster.local";
export const NOW = Date.UTC(2030, 0, 1) / 1000;

const froms = [
  "*",
  "*",
  "reviews",
  "ratings",
  `outbound|9080||${HOST}`,
  `outbound|9080|v1|${HOST}`,
  `outbound|80||${HOST}`,
];
const clusters = [...froms.slice(2), `outbound|9080|v2|${HOST}`, "inbound|9080||", "other"];
export const targets = ["reviews-pr-1", "reviews-pr-2", "everything", `outbound|9080|pr|${HOST}`];
const keys = ["pr-1", "pr-2", "PR-1", "a", "a-b", "alice", "pr-1.x", "pr-1.x.y", "a-b-c", "x".repeat(256)];
const sources = [
  "header:x-routing-key",
  "header:X-Other",
  "baggage:k",
  "tracestate:k",
  "cookie:k",
  "query:k",
  "host:.preview.example.com",
  "overrides:x-override",
  "jwt:k",
  "signadot",
  "bridge",
  "okteto",
  "mirrord",
  "telepresence",
  "overrides",
];

const key = fc.constantFrom(...keys);
const target = fc.constantFrom(...targets);
const moment = fc.constantFrom(
  "2029-12-31T23:59:59Z",
  "2030-01-01T00:00:00Z",
  "2030-01-01T00:00:01Z",
  "2031-01-01T00:00:00+01:00",
);
const text = fc.constantFrom("a", "alice", "pr-", "1", "");
const word = fc.constantFrom("a", "alice", "pr-", "1");

const methods = ["GET", "POST"];
const callers = ["spiffe://cluster.local/ns/demo/sa/alice", "spiffe://cluster.local/ns/demo/sa/bob"];
const subjects: Condition[] = [
  ...[{ header: "X-User" }, { header: "x-other" }, { cookie: "user" }, { cookie: "k" }, { query: "k" }],
  ...(["path", "method", "host", "caller"] as const).map((request) => ({ request })),
];

const condition: fc.Arbitrary<Condition> = fc
  .tuple(
    fc.constantFrom(...subjects),
    fc.oneof(
      word.map((exact) => ({ exact })),
      word.map((prefix) => ({ prefix })),
      word.map((suffix) => ({ suffix })),
      word.map((contains) => ({ contains })),
      fc.boolean().map((present) => ({ present })),
      fc.constantFrom(...methods, ...callers, "/a", "pr-1.preview.example.com").map((exact) => ({ exact })),
    ),
    fc.constantFrom({}, {}, { not: true }, { not: false }),
  )
  .map(([where, test, turned]) => ({ ...where, ...test, ...turned }));
const conditions = fc.array(condition, { minLength: 1, maxLength: 3 });

const splitRoute = fc
  .tuple(
    fc.array(fc.record({ to: target, weight: fc.constantFrom(0, 0.01, 1, 12.5, 33.3333, 50) }), {
      minLength: 1,
      maxLength: 2,
    }),
    fc.constantFrom("header:x-session", "cookie:session"),
  )
  .map(([split, sticky]) => ({ split, sticky }));

const route: fc.Arbitrary<WrittenRoute> = fc
  .tuple(
    fc.constantFrom(...froms),
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ key, to: target }) },
      { weight: 2, arbitrary: fc.record({ key, when: conditions, to: target }) },
      { weight: 2, arbitrary: fc.record({ when: conditions, to: target }) },
      { weight: 1, arbitrary: splitRoute },
      { weight: 1, arbitrary: fc.tuple(conditions, splitRoute).map(([when, split]) => ({ when, ...split })) },
    ),
    fc.option(moment, { freq: 4, nil: undefined }),
  )
  .map(([from, rest, expires]) => ({ from, ...rest, ...(expires && { expires }) }));

/** Several routes for one key from one baseline, told apart by their conditions. */
const alternatives: fc.Arbitrary<WrittenRoute[]> = fc
  .tuple(
    fc.constantFrom(...froms),
    key,
    fc.array(fc.tuple(fc.option(conditions, { freq: 3, nil: undefined }), target), { minLength: 2, maxLength: 4 }),
  )
  .map(([from, key, all]) => all.map(([when, to]) => ({ from, key, ...(when && { when }), to })));

function withoutDuplicates(routes: WrittenRoute[]): WrittenRoute[] {
  const repeated = new Set(duplicates(routes as Route[]).map(({ path }) => path[1]));
  return routes.filter((_, index) => !repeated.has(index));
}

export const configuration: fc.Arbitrary<Configuration> = fc
  .record(
    {
      keys: fc.uniqueArray(fc.constantFrom(...sources), { minLength: 1, maxLength: 5 }),
      routes: fc
        .array(fc.oneof({ weight: 4, arbitrary: fc.tuple(route) }, { weight: 1, arbitrary: alternatives }), {
          maxLength: 20,
          size: "max",
        })
        .map((all) => withoutDuplicates(all.flat())),
      explain: fc.boolean(),
      hierarchy: fc.constantFrom(".", "-"),
    },
    { requiredKeys: ["routes"] },
  )
  .map((own) => own as Configuration);

const token = (claim: unknown) =>
  `Bearer e30.${Buffer.from(JSON.stringify({ sub: "x", k: claim })).toString("base64url")}.s`;
const junk = fc.constantFrom("", " ", "pr 1", "a;b", "%", "pr-1,", "\xe9", "x".repeat(257), "\x01");
const value = fc.oneof({ weight: 5, arbitrary: key }, { weight: 1, arbitrary: junk });
const encoded = value.map((own) => [...own].map((c) => (c === "-" ? "%2D" : c)).join(""));
const list = (each: fc.Arbitrary<string>) =>
  fc.array(each, { minLength: 1, maxLength: 3 }).map((all) => all.join(", "));
const member = (name: string, each = value) => each.map((own) => `${name}=${own}`);

const headers: fc.Arbitrary<[string, string]>[] = [
  ...Array.from({ length: 4 }, () => list(value).map((own): [string, string] => ["x-routing-key", own])),
  list(value).map((own) => ["X-Other", own]),
  text.map((own) => ["x-user", own]),
  fc
    .tuple(fc.constantFrom("k", "sd-routing-key", "okteto-divert", "mirrord-session", "z"), encoded)
    .chain(([name, own]) => list(fc.constantFrom(`${name}=${own}`, `${name}=${own};p=1`, "other=1")))
    .map((own) => ["baggage", own]),
  list(fc.oneof(member("k"), member("sd-routing-key"), member("z"))).map((own) => ["tracestate", own]),
  list(fc.oneof(member("k"), member("user", text), member("z"))).map((own) => ["cookie", own.replaceAll(", ", "; ")]),
  fc
    .constantFrom("k", "z")
    .chain((name) => member(name, encoded))
    .map((own) => [":path", `/a?z=1&${own}`]),
  fc
    .constantFrom("pr-1.preview.example.com:80", "PR-1.Preview.example.com", "a.b.preview.example.com")
    .map((own) => [":authority", own]),
  list(fc.tuple(fc.constantFrom("reviews", HOST, "reviews.demo", "other"), value).map((own) => own.join(":"))).map(
    (own) => ["x-override", own],
  ),
  value.map((own) => ["authorization", token(own)]),
  fc.constantFrom(...methods).map((own) => [":method", own]),
  key.map((own) => ["kubernetes-route-as", own]),
  key.map((own) => ["uberctx-sd-routing-key", own]),
  key.map((own) => ["x-telepresence-intercept-id", own]),
  ...Array.from({ length: 4 }, () => target.map((own): [string, string] => ["x-keyway-routed", own])),
  target.map((own) => ["X-Keyway-Cluster", own]),
];

export type Asked = { headers: Pairs; cluster: string | null; caller: string | undefined };

/** Every request has the values that a sticky choice looks for, since one without them is a throw of dice. */
export const request: fc.Arbitrary<Asked> = fc
  .tuple(
    fc.array(fc.oneof(...headers), { maxLength: 6 }),
    fc.constantFrom(...clusters, null),
    fc.nat({ max: 1_000_000 }),
    fc.constantFrom(undefined, ...callers),
  )
  .map(([pairs, cluster, session, caller]) => {
    const once = pairs.filter(([name], i) => !name.startsWith(":") || pairs.findIndex(([own]) => own === name) === i);
    return {
      headers: [["cookie", `session=${session}`], ["x-session", `s${session}`], ...once] as Pairs,
      cluster,
      caller,
    };
  });
