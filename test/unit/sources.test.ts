import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { candidates as expected } from "../../routes/deciding/scan.ts";
import { isKey } from "../../routes/model/key.ts";
import { KINDS, type NamedKind } from "../../routes/model/sources.ts";
import { check } from "../property.ts";
import { candidates } from "./filter.ts";

const next: Record<NamedKind, string> = {
  header: "nextHeader",
  baggage: "nextBaggage",
  tracestate: "nextTracestate",
  cookie: "nextCookie",
  query: "nextQuery",
  host: "nextHost",
  overrides: "nextOverride",
  jwt: "nextClaim",
};

/** Pieces from which both well-formed and broken values of a kind come up. */
const pieces: Record<NamedKind, string[]> = {
  header: [",", " ", "\t", "pr-42", "x", ";", "=", "\xff"],
  baggage: [",", ";", "=", " ", "\t", "k", "kk", "k=", "pr-42", "%2C", "%4", "p=1", "\xff", "k=a%20b"],
  tracestate: [",", ";", "=", " ", "k", "k=", "v", "a@k", "\xff"],
  cookie: [";", "; ", "=", '"', "k", "k=", "v", ",", " ", "\xff", 'k="v"'],
  query: ["?", "&", "=", "/a", "k", "k=", "v", "%41", "%", "%zz", "#f", "+", "\xff"],
  host: [".", "k", ".K", "a", "pr-1.k", ":", "80", "A-b", "[::1]"],
  overrides: [",", ":", " ", "k", "k.ns", "k.ns.svc", "kk", "k:v", ".", "\xff"],
  jwt: ["Bearer ", "bearer  ", ".", "e30", "eyJrIjoicHItNDIifQ", "eyJrIjo0Mn0", "=", "Basic ", " ", "\xff"],
};
const wanted: Record<NamedKind, string> = {
  header: "",
  baggage: "k",
  tracestate: "k",
  cookie: "k",
  query: "k",
  host: ".k",
  overrides: "k.ns.svc.cluster.local",
  jwt: "k",
};

/** What routes/ finds when the text is the value of the header that the kind is read from. */
function foretold(kind: NamedKind, text: string): string[] {
  const headers = { baggage: "baggage", tracestate: "tracestate", cookie: "cookie", query: ":path" } as const;
  const others = { host: ":authority", jwt: "authorization", header: "h", overrides: "h" } as const;
  const name = kind === "header" || kind === "overrides" ? "h" : wanted[kind];
  return expected({ kind, name }, [[{ ...headers, ...others }[kind], text]], wanted.overrides);
}

const found = (kind: NamedKind, text: string, name: string) =>
  candidates(next[kind], text, name).map((own) => own.toString("latin1"));

describe.each(KINDS)("%s", (kind) => {
  test("finds what routes/ finds", () => {
    const texts = fc.array(fc.constantFrom(...pieces[kind]), { maxLength: 14 }).map((parts) => parts.join(""));
    check(
      [texts],
      (text) => {
        const keys = (all: string[]) => all.map((own) => (isKey(own) ? own : "no key"));
        expect(keys(found(kind, text, wanted[kind]))).toEqual(keys(foretold(kind, text)));
      },
      600,
    );
  });

  test("stays inside of any bytes", () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((own) => Buffer.from(own).toString("latin1"));
    check([bytes], (text) => void found(kind, text, wanted[kind]));
  });
});

describe("jwt", () => {
  const token = (payload: unknown) => {
    const encoded = [{ alg: "none" }, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
    return `Bearer ${encoded.join(".")}.c2ln`;
  };

  test("finds a claim between any others", () => {
    const payloads = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { noNullPrototype: true });
    check(
      [payloads, fc.stringMatching(/^[!-~]{1,40}$/)],
      (payload, value) => {
        const { k, ...others } = payload;
        expect(found("jwt", token({ ...others, k: value }), "k")).toEqual([value]);
        expect(found("jwt", token({ ...others, k: [value] }), "k")).toEqual([]);
      },
      150,
    );
  });

  test("a claim nested deeply or in a huge token is not looked for", () => {
    expect(found("jwt", `Bearer e30.${Buffer.from("[".repeat(5000)).toString("base64url")}.s`, "k")).toEqual([]);
    expect(found("jwt", token({ a: "x".repeat(20000), k: "pr-1" }), "k")).toEqual([]);
  });
});
