import { MAX_NAME } from "./names.ts";

export const KINDS = ["header", "baggage", "tracestate", "cookie", "query", "host", "overrides", "jwt"] as const;
export type Kind = (typeof KINDS)[number];

/** A place in the request where a key may stand. */
export interface Source {
  readonly kind: Kind;
  readonly name: string;
}

/** What the short names of known tools stand for. */
export const PRESETS: Readonly<Record<string, readonly Source[]>> = {
  signadot: [
    { kind: "baggage", name: "sd-routing-key" },
    { kind: "tracestate", name: "sd-routing-key" },
    { kind: "header", name: "ot-baggage-sd-routing-key" },
    { kind: "header", name: "uberctx-sd-routing-key" },
  ],
  bridge: [{ kind: "header", name: "kubernetes-route-as" }],
  overrides: [{ kind: "overrides", name: "x-override" }],
  okteto: [{ kind: "baggage", name: "okteto-divert" }],
  mirrord: [{ kind: "baggage", name: "mirrord-session" }],
  telepresence: [{ kind: "header", name: "x-telepresence-intercept-id" }],
};

const HEADER_NAME = /^[:!#$%&'*+\-.^_`|~0-9A-Za-z][!#$%&'*+\-.^_`|~0-9A-Za-z]*$/;

/** The sources that `KIND:NAME` or a preset stands for; an Error's message says why it stands for none. */
export function parseSource(text: string): readonly Source[] | Error {
  const colon = text.indexOf(":");
  if (colon < 0) return PRESETS[text] ?? new Error(`unknown source "${text}"`);
  const kind = KINDS.find((known) => known === text.slice(0, colon));
  const name = text.slice(colon + 1);
  if (name === "") return new Error("a source needs a name after its colon");
  if (Buffer.byteLength(name) > MAX_NAME) return new Error(`a source's name has at most ${MAX_NAME} bytes`);
  if (!kind) return new Error(`unknown source "${text}"`);
  if (kind === "host") return [{ kind, name: name.startsWith(".") ? name : `.${name}` }];
  if (kind !== "header" && kind !== "overrides") return [{ kind, name }];
  return isHeaderName(name) ? [{ kind, name: name.toLowerCase() }] : new Error("not a header's name");
}

/** Token characters of RFC 9110, or a pseudo-header. */
export function isHeaderName(name: string): boolean {
  return name.length <= MAX_NAME && HEADER_NAME.test(name);
}
