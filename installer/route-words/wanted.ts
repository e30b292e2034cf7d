// The routes that the flags of `keyway route set` stand for.
import type { LiveRoute } from "../../routes/model/live-route.ts";
import type { Condition, Missing } from "../../routes/model/model.ts";
import { formatPath } from "../../routes/reading/diagnostic.ts";
import { readLiveRoute } from "../../routes/reading/live-route.ts";
import { UsageError } from "../../shared/errors.ts";
import { deriveId } from "../../shared/route-id.ts";
import type { WantedRoute } from "../route-table/table.ts";
import { parseCondition } from "./condition.ts";
import { parseReference, parseShare } from "./reference.ts";
import { routesFromWords } from "./selectors.ts";

/** As typed. */
export interface RouteWords {
  from?: string;
  key?: string;
  when?: string[];
  to?: string;
  split?: string[];
  sticky?: string;
  default?: string;
  selector?: string[];
  source?: string;
  ttl?: string;
  expires?: string;
  missing?: Missing;
  owner?: string;
  label?: string[];
  id?: string;
}

export interface Wanted {
  routes: WantedRoute[];
  /** What does not mean what the words may be thought to mean. */
  remarks: string[];
  /** The flag that said a field of a route. */
  placeOf(id: string, path: string): string;
}

/** Throws a UsageError that names the flag. */
export function wantedRoutes(service: string | undefined, words: RouteWords): Wanted {
  const { default: byDefault, selector = [], sticky, when = [] } = words;
  const conditions = when.map(conditionOf);
  if (words.source !== undefined) {
    throw new UsageError(
      "--source: a proxy knows its caller by the identity that mutual TLS proves, not as a service",
      {
        next: `write --when 'caller$=/sa/ACCOUNT', with the service account of ${words.source}`,
      },
    );
  }
  if (byDefault === undefined && selector.length > 0) {
    throw new UsageError("--selector needs --default", { next: "say where the other requests go: --default v1" });
  }
  const of = { service, from: words.from };
  if (of.service === undefined && of.from === undefined) {
    throw new UsageError("from where?", { next: "name a service, or a cluster with --from" });
  }
  if (of.service !== undefined && of.from !== undefined) {
    throw new UsageError("a route is from a service or a cluster, not both", {
      next: "leave out --from, or the service",
    });
  }
  if (byDefault === undefined) {
    return { routes: [checked(single(of, words, conditions))], remarks: [], placeOf: (_, path) => flagOf(path) };
  }
  const made = routesFromWords({
    service: service ?? "",
    default: byDefault,
    selectors: selector,
    when: conditions,
    ...(sticky !== undefined && { sticky }),
  });
  const routes = made.routes.map((route) => checked({ ...route, ...common(words) }));
  return { routes, remarks: made.remarks, placeOf: (id, path) => `${id}: ${flagOf(path)}` };
}

type Unchecked = Partial<Record<keyof WantedRoute, unknown>>;

function single(
  { service, from }: { service: string | undefined; from: string | undefined },
  words: RouteWords,
  when: Condition[],
): Unchecked {
  const { key, to, split = [], sticky, id } = words;
  const target = from === undefined ? parseReference : (text: string) => text;
  const shares = split.map((text) => {
    const share = parseShare(text);
    if (share === undefined)
      throw new UsageError(`--split: "${text}" is no share`, { next: "write it like reviews-v3=10" });
    return { to: target(share.to), weight: share.weight };
  });
  return {
    ...(service === undefined ? { from } : { service: parseReference(service) }),
    ...(key !== undefined && { key }),
    ...(when.length > 0 && { when }),
    ...(shares.length > 0 && { split: shares }),
    ...(sticky !== undefined && { sticky }),
    ...(to !== undefined && { to: target(to) }),
    ...common(words),
    ...(id !== undefined && { id }),
  };
}

function common({ ttl, expires, missing, owner, label = [] }: RouteWords): Unchecked {
  return {
    ...(ttl !== undefined && { ttl }),
    ...(expires !== undefined && { expires }),
    ...(missing !== undefined && { missing }),
    ...(owner !== undefined && { owner }),
    ...(label.length > 0 && { labels: labelsOf(label) }),
  };
}

export function labelsOf(typed: readonly string[]): Record<string, string> {
  const pairs = typed.map((text): [string, string] => {
    const [, name, value = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (name === undefined) throw new UsageError(`--label: "${text}" is not NAME=VALUE`);
    return [name, value];
  });
  return Object.fromEntries(pairs);
}

/** The server checks by the same schema; what it is given is right as far as can be known here. */
function checked(route: Unchecked): WantedRoute {
  const now = Math.floor(Date.now() / 1000);
  const read = readLiveRoute(route, { now, path: [], ...(route.id === undefined && { id: "unnamed" }) });
  if (Array.isArray(read)) {
    const lines = read.map(({ path, field, message }) => {
      return `${flagOf(formatPath(field === undefined ? path : [...path, field]))}: ${message}`;
    });
    throw new UsageError(lines.join("\n  "));
  }
  const { id: name, ...rest }: LiveRoute = read;
  const id = route.id === undefined ? deriveId(rest) : name;
  if (typeof route.ttl !== "string") return { ...rest, id };
  const { expires: _, ...lasting } = rest;
  return { ...lasting, id, ttl: route.ttl };
}

function conditionOf(text: string): Condition {
  const condition = parseCondition(text);
  if (condition instanceof Error) throw new UsageError(`--when "${text}": ${condition.message}`);
  return condition;
}

/** The flag that says a field: `--when 2` for `when[1].cookie`. */
function flagOf(path: string): string {
  const [, field = "", index] = /^(\w+)(?:\[(\d+)\])?/.exec(path) ?? [];
  if (field === "") return "the route";
  if (field === "service") return "the service";
  const flag = `--${field === "labels" ? "label" : field}`;
  return index === undefined ? flag : `${flag} ${Number(index) + 1}`;
}
