// What a proxy at the edge makes of a request before it decides, and of each key after that.
import { type Edge, removesTraces } from "../model/edge.ts";
import { isKey } from "../model/key.ts";
import { linkNames } from "../model/links.ts";
import { type Configuration, TRACE_HEADERS } from "../model/model.ts";
import { HEADER_EXPLAIN, HEADER_ROUTED } from "../model/names.ts";
import { isMeantFor, splitSigned } from "../model/signed-key.ts";
import { type Source, sourcesOf } from "../model/sources.ts";
import type { DecisionInput, Refusal } from "./input.ts";
import { candidates, HEADERS, type Pairs, serviceOf, valuesOf } from "./scan.ts";

type Checked = { is: "unsigned" } | { is: "bad" } | { is: "good"; key: string; isHere: boolean };

/** Whether a text is a signed key that counts; without `verify` none does. */
export function checkText({ keys = [] }: Edge, text: string, input: DecisionInput): Checked {
  const { now, verify, cluster, services = [], refused } = input;
  const signed = keys.length === 0 ? undefined : splitSigned(text);
  if (!signed) return { is: "unsigned" };
  const bad = (why: Refusal): Checked => {
    refused?.(why);
    return { is: "bad" };
  };
  const key = keys.find(({ id }) => id === signed.id);
  if (!key) return bad("foreign");
  if (signed.expires <= now) return bad("expired");
  if (!verify?.(key, signed.text, signed.signature)) return bad("forged");
  const host = serviceOf(cluster ?? "");
  const isHere = isMeantFor(signed, host) || (host === "" && services.some((name) => isMeantFor(signed, name)));
  return { is: "good", key: signed.key, isHere };
}

/** The request without what strangers may not say. */
export function guarded({ keys, emit = [], edge, link }: Configuration, input: DecisionInput): DecisionInput {
  if (!edge) return input;
  const isStrict = edge.accept !== "any";
  const taken: string[] = [
    ...(isStrict ? [HEADER_ROUTED, HEADER_EXPLAIN] : []),
    ...(removesTraces(edge) ? TRACE_HEADERS.filter((name) => name !== "x-request-id") : []),
  ];
  let headers: Pairs = input.headers.filter(([name]) => !taken.includes(name.toLowerCase()));
  if (!isStrict && !edge.unwrap) return { ...input, headers };
  const names = linkNames(link);
  const ofLinks: Source[] = names
    ? [
        { kind: "query", name: names.query },
        { kind: "cookie", name: names.cookie },
      ]
    : [];
  // What sticks of a link has to be good again when it comes back, so it stays signed.
  for (const source of ofLinks)
    headers = cleaned(headers, source, (text) => {
      if (source.kind === "query" && text === "") return text;
      return left({ ...edge, unwrap: false }, text, input);
    });
  // An unwrapped key is plain, and may not be taken for a stranger's by another name of its place.
  const others = new Map(
    [...keys, ...emit]
      .flatMap(sourcesOf)
      .filter(canBeCleaned)
      .map((one) => [placeOf(one), one]),
  );
  for (const source of ofLinks) others.delete(placeOf(source));
  for (const source of others.values()) headers = cleaned(headers, source, (text) => left(edge, text, input));
  return { ...input, headers };
}

const placeOf = ({ kind, name }: Source) => `${kind}:${name}`;

/** Whether a key can be taken off there. The host and a bearer token are more than the key in them. */
function canBeCleaned({ kind, name }: Source): boolean {
  if (kind === "host" || kind === "jwt" || kind === "trace") return false;
  return kind !== "header" || !(name.startsWith(":") || name === "host");
}

/** Whether the key of a link counts, here or for another service. */
export function sticks(text: string, edge: Edge, input: DecisionInput): boolean {
  const checked = checkText(edge, text, input);
  if (checked.is === "good") return checked.isHere || !edge.unwrap;
  return checked.is === "unsigned" && edge.accept === "any" && isKey(text);
}

/** A key that is not signed, or any where none is accepted. */
export function refuseUnsigned({ accept }: Edge, { refused }: DecisionInput): void {
  refused?.(accept === "none" ? "any" : "unsigned");
}

/** Whether a plain key counts there. */
export function takesUnsigned({ accept, unwrap }: Edge, source: Source): boolean {
  return accept === "any" || (unwrap === true && canBeCleaned(source));
}

/** The key that goes on in place of one; undefined for one that does not. */
function left(edge: Edge, text: string, input: DecisionInput): string | undefined {
  const checked: Checked = edge.accept === "none" ? { is: "unsigned" } : checkText(edge, text, input);
  if (checked.is === "bad") return undefined;
  if (checked.is === "unsigned") {
    if (edge.accept === "any") return text;
    refuseUnsigned(edge, input);
    return undefined;
  }
  if (!edge.unwrap) return text;
  if (!checked.isHere) input.refused?.("elsewhere");
  return checked.isHere ? checked.key : undefined;
}

/** The headers with one of them changed, whose lines become one then. */
function cleaned(headers: Pairs, source: Source, leave: (text: string) => string | undefined): Pairs {
  const header = HEADERS[source.kind] ?? source.name;
  const lines = valuesOf(headers, header);
  const isQuery = source.kind === "query";
  const separator = isQuery ? "&" : source.kind === "cookie" ? ";" : ",";
  const front = isQuery ? (lines[0]?.match(/^[^?]*\?/)?.[0] ?? lines[0] ?? "") : "";
  if (isQuery && !front.endsWith("?")) return headers;
  const parts = lines.flatMap((line) => line.slice(front.length).split(separator));
  const left = parts.flatMap((part) => partLeft(part, isQuery, source, leave));
  if (left.length === parts.length && left.every((part, index) => part === parts[index])) return headers;
  const first = left.findIndex((part) => /[^ \t]/.test(part));
  const kept = first < 0 ? "" : left.slice(first).join(separator);
  const value = kept === "" ? front.slice(0, -1) : front + kept;
  const others = headers.filter(([name]) => name.toLowerCase() !== header);
  return value === "" ? others : [...others, [header, value]];
}

function partLeft(
  part: string,
  isQuery: boolean,
  source: Source,
  leave: (text: string) => string | undefined,
): string[] {
  const host = source.kind === "overrides" ? part.split(":")[0]?.trim() : undefined;
  const [found] = candidates(source, [[HEADERS[source.kind] ?? source.name, isQuery ? `?${part}` : part]], host ?? "");
  if (found === undefined) return [part];
  const key = leave(found);
  if (key === undefined) return [];
  if (key === found) return [part];
  if (source.kind === "header") return [key];
  const name = part.slice(0, part.indexOf(source.kind === "overrides" ? ":" : "=") + 1);
  if (source.kind === "query" || source.kind === "baggage")
    return [name + encodeURIComponent(key) + (source.kind === "baggage" ? (/;.*$/s.exec(part)?.[0] ?? "") : "")];
  return [name + key];
}
