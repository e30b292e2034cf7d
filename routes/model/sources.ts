import { byteLength, quoted } from "./bytes.ts";
import { MAX_NAME, OWN_HEADERS } from "./names.ts";

export const KINDS = ["header", "baggage", "tracestate", "cookie", "query", "host", "overrides", "jwt"] as const;
export type NamedKind = (typeof KINDS)[number];
/** `trace` has no name, and so no colon: the key that the request's trace came in with. */
export type Kind = NamedKind | "trace";

/** A place in the request where a key may stand. */
export interface Source {
  readonly kind: Kind;
  readonly name: string;
}

const SIGNADOT = ["sd-routing-key", "sd-sandbox"].flatMap((name): Source[] => [
  { kind: "baggage", name },
  { kind: "tracestate", name },
  { kind: "header", name: `ot-baggage-${name}` },
  { kind: "header", name: `uberctx-${name}` },
]);
const MIRRORD = (["baggage", "tracestate", "cookie", "query"] as const).map((kind) => ({
  kind,
  name: "mirrord-session",
}));

/** What the short names of known tools stand for. */
export const PRESETS: ReadonlyMap<string, readonly Source[]> = new Map<string, readonly Source[]>([
  ["signadot", SIGNADOT],
  ["bridge", [{ kind: "header", name: "kubernetes-route-as" }]],
  ["overrides", [{ kind: "overrides", name: "x-override" }]],
  ["okteto", [{ kind: "baggage", name: "okteto-divert" }]],
  ["mirrord", MIRRORD],
  ["telepresence", [{ kind: "header", name: "x-telepresence-intercept-id" }]],
]);

const TRACE: readonly Source[] = [{ kind: "trace", name: "" }];

const HEADER_NAME = /^[:!#$%&'*+\-.^_`|~0-9A-Za-z][!#$%&'*+\-.^_`|~0-9A-Za-z]*$/;

/** The sources that `KIND:NAME` or a preset stands for; an Error's message says why it stands for none. */
export function parseSource(text: string): readonly Source[] | Error {
  const colon = text.indexOf(":");
  if (text === "trace") return TRACE;
  if (colon < 0) return PRESETS.get(text) ?? new Error(`unknown source ${quoted(text)}`);
  const kind = KINDS.find((known) => known === text.slice(0, colon));
  const name = text.slice(colon + 1);
  if (name === "") return new Error("a source needs a name after its colon");
  if (byteLength(name) > MAX_NAME) return new Error(`a source's name has at most ${MAX_NAME} bytes`);
  if (!kind) return new Error(`unknown source ${quoted(text)}`);
  if (kind === "host") return [{ kind, name: name.startsWith(".") ? name : `.${name}` }];
  if (kind !== "header" && kind !== "overrides") return [{ kind, name }];
  return isHeaderName(name) ? [{ kind, name: name.toLowerCase() }] : new Error("not a header's name");
}

/** The sources of a text that was checked before; throws for what stands for none. */
export function sourcesOf(text: string): readonly Source[] {
  const sources = parseSource(text);
  if (sources instanceof Error) throw sources;
  return sources;
}

/** A source as a configuration would name it. */
export function sourceText({ kind, name }: Source): string {
  return kind === "trace" ? kind : `${kind}:${name}`;
}

/** Token characters of RFC 9110, or a pseudo-header. */
export function isHeaderName(name: string): boolean {
  return name.length <= MAX_NAME && HEADER_NAME.test(name);
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const TRACESTATE_NAME = /^[a-z0-9][-_*/@a-z0-9]*$/;

export const TRACE_STANDS_ALONE = "trace is a source of keys alone";

/** Why a key can't leave in that form; undefined where it can. */
export function formError({ kind, name }: Source): string | undefined {
  if (kind === "trace") return TRACE_STANDS_ALONE;
  if (kind !== "header" && kind !== "baggage" && kind !== "tracestate" && kind !== "cookie")
    return "a key leaves as header, baggage, tracestate or cookie";
  const isOurs = kind === "header" && (name === "host" || name.startsWith(OWN_HEADERS));
  const canHold = (kind === "tracestate" ? TRACESTATE_NAME : TOKEN).test(name) && !isOurs;
  return canHold ? undefined : "a name that no key can be written to";
}
