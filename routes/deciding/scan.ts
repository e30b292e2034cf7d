// What each kind of source finds in one header's value. Texts are Latin-1 strings, one character per byte; what is found need
// not be a key.
import { MAX_TEXT } from "../model/names.ts";
import type { Kind, Source } from "../model/sources.ts";
import { claimOf } from "./token.ts";

export type Pairs = readonly (readonly [name: string, value: string])[];

type Scan = (text: string, wanted: string) => string[];

const trimmed = (text: string) => text.replace(/^[ \t]+|[ \t]+$/g, "");

/** The text before and after the first `separator`; undefined without one. */
function halves(text: string, separator: string): [string, string] | undefined {
  const at = text.indexOf(separator);
  return at < 0 ? undefined : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Empty, which is no key, for a broken escape and for what is longer than MAX_TEXT bytes. */
export function percentDecoded(text: string): string {
  if (/%(?![0-9a-f]{2})/i.test(text)) return "";
  const decoded = text.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return decoded.length > MAX_TEXT ? "" : decoded;
}

/** The values of a query parameter as they are written. */
export function queryValues(path: string, wanted: string): string[] {
  const pairs = (halves(path, "?")?.[1].split("&") ?? []).map((part) => halves(part, "=") ?? [part, ""]);
  return pairs.flatMap(([name, value]) => (name === wanted ? [value ?? ""] : []));
}

const members: Scan = (list, wanted) => {
  const pairs = list.split(",").map((member) => halves(member, "="));
  return pairs.flatMap((pair) => (pair && trimmed(pair[0]) === wanted ? [trimmed(pair[1])] : []));
};

const SCANS: Record<Kind, Scan> = {
  header: (text) => text.split(",").map(trimmed),
  baggage: (text, wanted) => members(text.replace(/;[^,]*/g, ""), wanted).map(percentDecoded),
  tracestate: members,
  cookie(text, wanted) {
    const pairs = text.split(";").map((part) => halves(part, "="));
    const values = pairs.flatMap((pair) => (pair && trimmed(pair[0]) === wanted ? [trimmed(pair[1])] : []));
    return values.map((value) => value.replace(/^"(.*)"$/s, "$1"));
  },
  query: (path, wanted) => queryValues(path, wanted).map(percentDecoded),
  host(authority, suffix) {
    const name = authority.replace(/:.*$/s, "");
    if (!name.toLowerCase().endsWith(suffix.toLowerCase())) return [];
    const label = name.slice(0, name.length - suffix.length);
    return label !== "" && !label.includes(".") ? [label] : [];
  },
  /** `wanted` is the destination's full name. */
  overrides(text, wanted) {
    const pairs = text.split(",").map((pair) => halves(pair, ":"));
    return pairs.flatMap((pair) => {
      const name = pair && trimmed(pair[0]);
      return name && (name === wanted || wanted.startsWith(`${name}.`)) ? [trimmed(pair[1])] : [];
    });
  },
  jwt(authorization, claim) {
    const value = claimOf(authorization, claim);
    return value === undefined ? [] : [value];
  },
  /** What a proxy remembers of a trace can't be known from the request. */
  trace: () => [],
};

/** The header that a kind of source reads, where its name does not say it. */
export const HEADERS: Partial<Record<Kind, string>> = {
  baggage: "baggage",
  tracestate: "tracestate",
  cookie: "cookie",
  query: ":path",
  host: ":authority",
  jwt: "authorization",
};

export function valuesOf(headers: Pairs, name: string): string[] {
  return headers.filter(([own]) => own.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

/** All that a source finds in a request to `cluster`, in order. */
export function candidates({ kind, name }: Source, headers: Pairs, cluster: string): string[] {
  const wanted = kind === "overrides" ? serviceOf(cluster) : name;
  return valuesOf(headers, HEADERS[kind] ?? name).flatMap((value) => SCANS[kind](value, wanted));
}

/** The host of an Istio cluster (`outbound|PORT|SUBSET|HOST`); any other cluster's name. */
export function serviceOf(cluster: string): string {
  const parts = cluster.split("|");
  return parts.length > 3 ? parts.slice(3).join("|") : cluster;
}
