import { inspect } from "node:util";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { table, toYaml } from "../../installer/cli/output.ts";
import { progress } from "../../installer/cli/progress.ts";
import { collectHeader, parseRequestLine } from "../../installer/cli/request.ts";
import { Secret } from "../../installer/cli/secret.ts";
import type { Io } from "../../shared/io.ts";

test("texts stay texts for readers of old YAML, as Kubernetes is", () => {
  const texts = [
    "on",
    "yes",
    "n",
    "~",
    "2031-01-01T00:00:00Z",
    "1_000",
    "012",
    "0o7",
    "1:20",
    "1e3",
    ".inf",
    "a: b",
    "*",
  ];
  for (const version of ["1.1", "1.2"] as const) expect(parse(toYaml(texts), { version })).toEqual(texts);
});

test("remarks stand above what they are about", () => {
  const data = { a: { b: [{ c: 1 }] } };
  const text = toYaml(data, [[["a", "b", 0], "the first"]]);
  expect(text).toBe("a:\n  b:\n    # the first\n    - c: 1\n");
});

const terminal = (isTTY: boolean, env = {}): { io: Io; written: string[] } => {
  const written: string[] = [];
  const sink = { isTTY, write: (text: string) => void written.push(text) };
  return { io: { out: sink, err: sink, in: [], env, signal: new AbortController().signal }, written };
};

test("a table's columns line up, without blanks at line ends", () => {
  const { io } = terminal(false);
  expect(
    table(
      io,
      ["name", "version"],
      [
        ["a", "1"],
        ["longer", ""],
      ],
    ),
  ).toBe("NAME    VERSION\na       1\nlonger\n");
  expect(table(io, ["name"], [])).toBe("NAME\n");
});

test("progress rewrites its line on a terminal, and is silent about steps elsewhere", () => {
  const quiet = terminal(false);
  const steps = progress(quiet.io);
  steps.update("half");
  steps.done("all");
  expect(quiet.written).toEqual(["√ all\n"]);

  const loud = terminal(true, { NO_COLOR: "1" });
  const shown = progress(loud.io);
  shown.update("half");
  shown.done("all");
  expect(loud.written).toEqual(["\r\x1b[K  half", "\r\x1b[K√ all\n"]);
});

test("a terminal that can do nothing (TERM=dumb) gets neither colours nor lines that are rewritten", () => {
  const dumb = terminal(true, { TERM: "dumb" });
  const steps = progress(dumb.io);
  steps.update("half");
  steps.done("all");
  expect(dumb.written).toEqual(["√ all\n"]);
  expect(table(dumb.io, ["name"], [])).toBe("NAME\n");
});

test("a secret is shown by nothing but reveal", () => {
  const secret = new Secret("hunter2");
  const shown = [`${secret}`, String(secret), JSON.stringify({ secret }), inspect({ secret }, { showHidden: true })];
  expect(shown.join(" ")).not.toContain("hunter2");
  expect(secret.reveal()).toBe("hunter2");
});

test.each([
  ["/a?b=c", { ":method": "GET", ":path": "/a?b=c" }],
  ["post /a", { ":method": "POST", ":path": "/a" }],
  ["GET /a HTTP/1.1", { ":method": "GET", ":path": "/a" }],
  ["https://Host.example:8443/a?b=c#d", { ":method": "GET", ":path": "/a?b=c", ":authority": "Host.example:8443" }],
  ["PUT http://host", { ":method": "PUT", ":path": "/", ":authority": "host" }],
  ["/a?b=c#d", { ":method": "GET", ":path": "/a?b=c" }],
  ["/#?a=b", { ":method": "GET", ":path": "/" }],
  ["https://user:pass@host:80/a", { ":method": "GET", ":path": "/a", ":authority": "host:80" }],
  ["http://host?a=b", { ":method": "GET", ":path": "/?a=b", ":authority": "host" }],
])("the request %s", (text, headers) => {
  expect(Object.fromEntries(parseRequestLine(text) ?? [])).toEqual(headers);
});

test.each(["", "a", "GET", "GET a b c", "http://"])("%j is no request", (text) => {
  expect(parseRequestLine(text)).toBeUndefined();
});

test("headers keep their order, in lower case, as bytes", () => {
  expect(collectHeader("X-User:  Zoë ", collectHeader("Host: a.example"))).toEqual([
    [":authority", "a.example"],
    ["x-user", "Zo\xc3\xab"],
  ]);
});
