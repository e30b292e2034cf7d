// Requests whose headers are put together from the pieces of every source's grammar, in every order: what no well-formed request has.
import fc from "fast-check";
import type { Pairs } from "./emulator/headers.ts";
import { type Asked, HOST, targets } from "./generate.ts";

const keys = ["pr-1", "pr-2", "PR-1", "a", "a-b", "pr-1.x", "pr-1..x", "pr-1.", ".pr-1", "alice", "a-", "-a", "a--b"];
const blanks = ["", "", " ", "\t", " \t "];
const bytes = ["\x01", "\x7f", "\xe9", "\xff", "é", "x".repeat(256), "y".repeat(257), "z".repeat(4097)];
const escapes = ["%", "%2", "%2D", "%2d", "%70r-1", "%00", "%zz", "%2C", "%20", "%3B", "%25", "pr%2D1", "pr-1%", "+"];
const marks = [",", ";", "=", ":", "&", "?", "#", '"', "'", ".", "/", "|", "@", "[", "]", "\\"];
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...keys) },
  { weight: 2, arbitrary: fc.constantFrom(...blanks) },
  { weight: 1, arbitrary: fc.constantFrom(...bytes) },
  { weight: 2, arbitrary: fc.constantFrom(...escapes) },
  { weight: 3, arbitrary: fc.constantFrom(...marks) },
);
const names = [
  "k",
  "K",
  "sd-routing-key",
  "sd-sandbox",
  "okteto-divert",
  "mirrord-session",
  "z",
  "user",
  "session",
  "",
];
const hosts = ["reviews", "Reviews", HOST, "reviews.demo", "reviews.dem", "reviews.", "ratings", "other", ""];
const blank = fc.constantFrom(...blanks);
const loose = (least: number, most: number) =>
  fc.array(piece, { minLength: least, maxLength: most }).map((all) => all.join(""));
const tamed = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...keys) }, { weight: 2, arbitrary: loose(0, 3) });

/** `NAME SIGN VALUE`, with blanks in all places, or with a part too few or too many. */
const pair = (of: string[], sign: string) =>
  fc
    .tuple(
      blank,
      fc.constantFrom(...of),
      blank,
      fc.constantFrom(sign, sign, sign, "", sign + sign),
      blank,
      tamed,
      blank,
    )
    .map((all) => all.join(""));
const listOf = (part: fc.Arbitrary<string>, separators: string[]) =>
  fc
    .array(fc.tuple(part, fc.constantFrom(...separators)), { minLength: 1, maxLength: 4 })
    .map((all) => all.map(([own, after], i) => (i === all.length - 1 ? own : own + after)).join(""));
const sure = (name: string, value: fc.Arbitrary<string>) => value.map((own): [string, string] => [name, own]);

const quoted = fc.tuple(blank, fc.constantFrom("k", "user"), tamed).map(([b, n, v]) => `${b}${n}="${v}"`);
const property = fc.tuple(pair(names, "="), tamed).map(([own, more]) => `${own};${more}=1`);

const json = fc.constantFrom(
  ...keys.map((key) => `{"k":"${key}"}`),
  '{"k":"a","k":"pr-1"}',
  '{"k":"pr-1","k":7}',
  '{"k":["pr-1"]}',
  '{"a":{"k":"pr-2"},"k":"pr-1"}',
  '{"k":"pr\\u002d1"}',
  '{"\\u006b":"pr-1"}',
  '{"k":"pr-1"}x',
  ' {"k" : "pr-1" } ',
  '{"k":"pr-1",}',
  '{"k":"\\ud83d\\ude00"}',
  '{"k":"\\ud83d"}',
  '{"k":""}',
  '{"k":null}',
  '{"k":"é"}',
  '\ufeff{"k":"pr-1"}',
  '[{"k":"pr-1"}]',
  '"pr-1"',
  "",
  '{"k":"pr-1"',
  '{"n":01,"k":"pr-1"}',
  '{"n":1e400,"k":"pr-1"}',
  '{"n":-,"k":"pr-1"}',
  '{"k":"a\nb"}',
);
const payload = fc
  .tuple(json, fc.constantFrom("", "=", "==", "===", "A", "+", "/", " "), fc.boolean())
  .map(([text, end, plain]) => Buffer.from(text).toString(plain ? "base64" : "base64url") + end);
const authorization = fc
  .tuple(
    fc.constantFrom("Bearer ", "bearer ", "BEARER  ", "Bearer\t", " Bearer ", "Basic ", "Bearer", "Bearer x, Bearer "),
    fc.constantFrom("e30", "", "?"),
    payload,
    fc.constantFrom(".s", ".", "", ".s.t", ". "),
  )
  .map(([scheme, head, own, end]) => `${scheme}${head}.${own}${end}`);

const authority = fc.constantFrom(
  "pr-1.preview.example.com",
  "pr-1.preview.example.com:",
  "pr-1.preview.example.com:x",
  "pr-1.preview.example.com:8080:9",
  "PR-1.PREVIEW.EXAMPLE.COM:443",
  ".preview.example.com",
  "preview.example.com",
  "xpreview.example.com",
  "pr-1.preview.example.com.",
  "a.pr-1.preview.example.com",
  "pr-1:80.preview.example.com",
  "a_b!.preview.example.com",
  "[::1]",
  "[::1]:80",
  "::1",
  ":80",
  "user@pr-1.preview.example.com",
);
const path = fc
  .tuple(
    fc.constantFrom("/", "/a", "", "*", "/a;k=a", "//", "/%3Fk=a"),
    fc.constantFrom("?", "?", "?", "??", "#?", "%3F", "?&", "?#"),
    listOf(pair(names, "="), ["&", "&&", ";", "?", "#", "&amp;"]),
  )
  .map((all) => all.join(""));

const header: fc.Arbitrary<[string, string]> = fc.oneof(
  { weight: 3, arbitrary: sure("x-routing-key", listOf(tamed, [",", ", ", ";", ",,"])) },
  sure("x-other", listOf(tamed, [",", ";"])),
  sure("x-user", loose(0, 3)),
  { weight: 2, arbitrary: sure("baggage", listOf(fc.oneof(pair(names, "="), property), [",", ", ", ",,", ";"])) },
  { weight: 2, arbitrary: sure("tracestate", listOf(pair(names, "="), [",", ",,", ";"])) },
  { weight: 2, arbitrary: sure("cookie", listOf(fc.oneof(pair(names, "="), quoted), [";", "; ", ";;", ","])) },
  { weight: 2, arbitrary: sure("x-override", listOf(pair(hosts, ":"), [",", ", ", ";"])) },
  { weight: 2, arbitrary: sure(":path", path) },
  sure(":authority", authority),
  { weight: 2, arbitrary: sure("authorization", authorization) },
  sure(":method", fc.constantFrom("GET", "get", "PROPFIND", "")),
  sure("ot-baggage-sd-routing-key", listOf(tamed, [","])),
  sure("kubernetes-route-as", listOf(tamed, [","])),
  { weight: 4, arbitrary: sure("x-keyway-routed", fc.oneof(fc.constantFrom(...targets), loose(0, 2))) },
);

export const wildRequest: fc.Arbitrary<Asked> = fc
  .tuple(
    fc.array(header, { maxLength: 8 }),
    fc.constantFrom(
      "reviews",
      `outbound|9080||${HOST}`,
      `outbound|9080|v2|${HOST}`,
      "inbound|9080||",
      "|||",
      "a|b|c",
      "outbound|9080|v1|",
      null,
    ),
    fc.constantFrom(undefined, "", "spiffe://cluster.local/ns/demo/sa/alice"),
  )
  .map(([pairs, cluster, caller]) => {
    const once = pairs.filter(([name], i) => !name.startsWith(":") || pairs.findIndex(([own]) => own === name) === i);
    return { headers: [...once, ["cookie", "session=s"], ["x-session", "s"]] as Pairs, cluster, caller };
  });
