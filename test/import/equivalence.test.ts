// A VirtualService and the routes that it becomes send the same requests to the same places, wherever nothing else is told.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide } from "../../routes/deciding/decide.ts";
import type { Reference, Route } from "../../routes/model/model.ts";
import { check } from "../property.ts";
import { read } from "./read.ts";

const NAMES = ["x-routing-key", "x-mine", "end-user"];
const VALUES = ["a", "ab", "b", "a-b", "xay"];
const REGEXES = ["a", "a|b", "^(a|ab)$", "a.*", ".*b", ".*a.*", ".*", "x[a-z]y", "a\\-b"];
const PATHS = ["/", "/a", "/a/b", "/b"];

interface Match {
  exact?: string;
  prefix?: string;
  regex?: string;
}
interface Entry {
  headers?: Record<string, Match>;
  withoutHeaders?: Record<string, Match>;
  queryParams?: Record<string, Match>;
  uri?: Match;
  method?: Match;
}
interface Rule {
  match?: Entry[];
  route: { destination: { host: string; subset?: string } }[];
}
interface Request {
  headers: Record<string, string>;
  query: Record<string, string>;
  path: string;
  method: string;
}

/** Envoy's comparison, as Istio configures it: a pattern matches the whole value. */
function holds({ exact, prefix, regex }: Match, value: string | undefined): boolean {
  if (value === undefined) return false;
  if (exact !== undefined) return value === exact;
  if (prefix !== undefined) return value.startsWith(prefix);
  return regex === undefined || new RegExp(`^(?:${regex})$`).test(value);
}

function takes(entry: Entry, { headers, query, path, method }: Request): boolean {
  const all = (of: Record<string, Match> = {}, values: Record<string, string>) =>
    Object.entries(of).every(([name, match]) => holds(match, values[name]));
  const none = Object.entries(entry.withoutHeaders ?? {}).every(([name, match]) => !holds(match, headers[name]));
  const part = (match: Match | undefined, value: string) => match === undefined || holds(match, value);
  return (
    all(entry.headers, headers) &&
    none &&
    all(entry.queryParams, query) &&
    part(entry.uri, path) &&
    part(entry.method, method)
  );
}

/** The first rule that takes the request; without one it goes nowhere. */
function evaluated(rules: readonly Rule[], request: Request): string | undefined {
  const rule = rules.find(({ match = [] }) => match.length === 0 || match.some((entry) => takes(entry, request)));
  const destination = rule?.route[0]?.destination;
  return (
    destination &&
    clusterOf(
      destination.subset === undefined
        ? `${destination.host}.demo`
        : { service: `${destination.host}.demo`, subset: destination.subset },
    )
  );
}

const clusterOf = (reference: Reference): string =>
  typeof reference === "string"
    ? reference
    : "cluster" in reference
      ? reference.cluster
      : `${reference.service}@${reference.subset}`;

/** Routes in the order in which a live table has those without a key: by their ids. */
function compiled(routes: readonly { [field: string]: unknown }[], ids: readonly string[]): Route[] {
  const places = ids.map((id, at) => ({ id, at })).sort((a, b) => (a.id < b.id ? -1 : 1));
  return places.map(({ at }) => {
    const { service, to, split, ...rest } = routes[at] as {
      service: string;
      to?: Reference;
      split?: { to: Reference; weight: number }[];
    };
    const targets = split
      ? { split: split.map((share) => ({ ...share, to: clusterOf(share.to) })) }
      : { to: clusterOf(to ?? "") };
    return { ...rest, from: service, ...targets } as Route;
  });
}

const stringMatch: fc.Arbitrary<Match> = fc.oneof(
  fc.constantFrom(...VALUES).map((exact) => ({ exact })),
  fc.constantFrom(...VALUES).map((prefix) => ({ prefix })),
  fc.constantFrom(...REGEXES).map((regex) => ({ regex })),
  fc.constant({}),
);
const texts = (names: string[]) => fc.dictionary(fc.constantFrom(...names), stringMatch, { maxKeys: 2 });
const entry: fc.Arbitrary<Entry> = fc.record(
  {
    headers: texts(NAMES),
    withoutHeaders: texts(NAMES),
    queryParams: texts(["q"]),
    uri: fc.oneof(
      fc.constantFrom(...PATHS).map((exact) => ({ exact })),
      fc.constantFrom(...PATHS).map((prefix) => ({ prefix })),
    ),
    method: fc.constantFrom("GET", "POST").map((exact) => ({ exact })),
  },
  { requiredKeys: [] },
);
/** A pile of header rules, as most have it. */
const keyed: fc.Arbitrary<Entry> = fc
  .tuple(fc.constantFrom(...NAMES), fc.constantFrom(...VALUES))
  .map(([name, exact]) => ({ headers: { [name]: { exact } } }));
const target = fc.constantFrom(
  { host: "reviews" },
  { host: "reviews", subset: "v1" },
  { host: "reviews", subset: "v2" },
  { host: "other" },
);
const rule: fc.Arbitrary<Rule> = fc
  .tuple(fc.array(fc.oneof(entry, keyed, keyed), { minLength: 0, maxLength: 3 }), target)
  .map(([match, destination]) => ({ match, route: [{ destination }] }));
const request: fc.Arbitrary<Request> = fc.record({
  headers: fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom(...VALUES)),
  query: fc.dictionary(fc.constant("q"), fc.constantFrom(...VALUES)),
  path: fc.constantFrom(...PATHS, "/a/c"),
  method: fc.constantFrom("GET", "POST"),
});

/** Findings that say nothing about where a request of a rule goes. */
const HARMLESS = /never reached|none of these rules takes/;

describe("a VirtualService and its routes", () => {
  test("decide alike", () => {
    let compared = 0;
    check(
      [fc.array(rule, { maxLength: 5 }), fc.array(request, { minLength: 5, maxLength: 10 })],
      (http, requests) => {
        const input = {
          apiVersion: "networking.istio.io/v1",
          kind: "VirtualService",
          metadata: { name: "reviews", namespace: "demo" },
          spec: { hosts: ["reviews"], http },
        };
        const { routes, ids, findings, keys } = read(input, { keys: ["header:x-mine"] });
        if (findings.some((one) => !HARMLESS.test(one))) return;
        const configuration = { keys: [...keys], routes: compiled(routes, ids), explain: false, strict: false };
        for (const one of requests) {
          const search = Object.entries(one.query)
            .map(([name, value]) => `?${name}=${value}`)
            .join("");
          const headers = [
            [":method", one.method],
            [":path", one.path + search],
            [":authority", "reviews"],
            ...Object.entries(one.headers),
          ] as [string, string][];
          const decision = decide(configuration, { headers, cluster: "reviews.demo", now: 0 });
          expect(decision.to ?? "reviews.demo", JSON.stringify({ one, routes })).toBe(
            evaluated(http, one) ?? "reviews.demo",
          );
          compared++;
        }
      },
      2000,
    );
    expect(compared).toBeGreaterThan(3000);
  });
});
