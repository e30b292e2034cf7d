// Where a request goes, by the contract alone: the measure for the module's decisions. It is slow, plain, and has no state.

import type { Condition, Configuration, Route } from "./config.ts";
import { expand, type Source } from "./config.ts";
import { hash, hashEnd, hashMore, WHOLE } from "./hash.ts";
import { isKey, scanners } from "./sources.ts";

export type Pairs = [name: string, value: string][];

export type Asked = {
  headers: Pairs;
  /** The baseline; null where the proxy's own route gives none. */
  cluster: string | null;
  /** Seconds since 1970. */
  now: number;
  /** Targets known to be missing. */
  missing?: ReadonlySet<string>;
};

export type Outcome = "routed" | "baseline" | "no_key" | "invalid_key" | "missing_target" | "already_routed";
export type Decision = { outcome: Outcome; key: string | null; to: string | null };

export function decide(configuration: Configuration, asked: Asked): Decision {
  const found = (configuration.keys ?? ["header:x-routing-key"])
    .flatMap(expand)
    .flatMap((source) => candidates(source, asked));
  const keys = found.filter(isKey);
  const routes = (configuration.routes ?? []).filter((route) => inForce(route, asked.now));
  const key = keys.find((own) =>
    best(
      routes.filter((route) => route.key === own),
      asked.cluster,
    ),
  );
  if (key !== undefined)
    return settle(
      best(
        routes.filter((route) => route.key === key),
        asked.cluster,
      )?.to,
      key,
      asked,
    );
  const when = best(
    routes.filter((route) => route.when?.every((condition) => holds(condition, asked))),
    asked.cluster,
  );
  if (when) return settle(when.to, null, asked);
  const split = best(
    routes.filter((route) => route.split),
    asked.cluster,
  );
  const share = split && chosen(split, asked);
  if (share !== undefined) return settle(share, null, asked);
  const [first] = keys;
  if (first !== undefined) return { outcome: "baseline", key: first, to: null };
  return { outcome: found.length > 0 ? "invalid_key" : "no_key", key: null, to: null };
}

function settle(to = "", key: string | null, { headers, missing }: Asked): Decision {
  const mark = headers.find(([name]) => name.toLowerCase() === "x-keyway-routed")?.[1];
  if (mark === to) return { outcome: "already_routed", key, to };
  return { outcome: missing?.has(to) ? "missing_target" : "routed", key, to };
}

const inForce = ({ expires }: Route, now: number) =>
  expires === undefined || Math.floor(Date.parse(expires) / 1000) > now;

/** An exact `from` before the same Istio service with any subset before `*`; among equals the first. */
function best(routes: Route[], cluster: string | null): Route | undefined {
  if (!cluster) return undefined;
  const wanted = [cluster, withoutSubset(cluster), "*"];
  return wanted.map((from) => routes.find((route) => route.from === from)).find((route) => route);
}

export const withoutSubset = (cluster: string) => cluster.replace(/^([^|]*\|[^|]*\|)[^|]+\|(?=.)/s, "$1|");

export function serviceOf(cluster: string): string {
  const parts = cluster.split("|");
  return parts.length > 3 ? parts.slice(3).join("|") : cluster;
}

const headerOf: Partial<Record<Source["kind"], string>> = {
  baggage: "baggage",
  tracestate: "tracestate",
  cookie: "cookie",
  query: ":path",
  host: ":authority",
  jwt: "authorization",
};

export function candidates({ kind, name }: Source, { headers, cluster }: Pick<Asked, "headers" | "cluster">): string[] {
  const header = (headerOf[kind] ?? name).toLowerCase();
  const values = headers.filter(([own]) => own.toLowerCase() === header).map(([, value]) => value);
  const wanted = kind === "overrides" ? serviceOf(cluster ?? "") : name;
  return values.flatMap((value) => scanners[kind](value, wanted));
}

function holds(condition: Condition, asked: Asked): boolean {
  const { header, cookie, query, exact, prefix, suffix, contains, present } = condition;
  const values = header
    ? asked.headers.filter(([name]) => name.toLowerCase() === header.toLowerCase()).map(([, value]) => value)
    : candidates(cookie ? { kind: "cookie", name: cookie } : { kind: "query", name: query ?? "" }, asked);
  if (present !== undefined) return present === values.length > 0;
  return values.some(
    (value) =>
      (exact === undefined || value === exact) &&
      (prefix === undefined || value.startsWith(prefix)) &&
      (suffix === undefined || value.endsWith(suffix)) &&
      (contains === undefined || value.includes(contains)),
  );
}

/** Where a split's sticky value sends the request: shares stand one after the other on a line as long as a whole. */
function chosen({ from, split = [], sticky }: Route, asked: Asked): string | undefined {
  const [value] = sticky === undefined ? [] : expand(sticky).flatMap((source) => candidates(source, asked));
  if (!value && split[0]?.weight === 100) return split[0].to;
  if (!value) throw new Error("the reference can't foresee a choice without a sticky value");
  let point = hashEnd(hashMore(hash(from), value)) % WHOLE;
  for (const { to, weight } of split) {
    const width = BigInt(Math.round(weight * 10_000));
    if (point < width) return to;
    point -= width;
  }
  return undefined;
}
