import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runCli } from "./run.ts";

/** Asks where a request goes by a route file with these bytes. */
async function explain(bytes: string | Buffer) {
  const folder = await mkdtemp(join(tmpdir(), "keyway-input-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "routes.yaml");
  await writeFile(path, bytes);
  const run = await runCli(["route", "explain", "-f", path, "/"]);
  return { ...run, err: run.err.replaceAll(path, "routes.yaml") };
}

const ROUTE = "routes:\n  - {service: reviews:9080, key: pr-42, to: reviews-pr-42}\n";

test.each([
  [
    "Latin-1",
    Buffer.from(`# für alle\n${ROUTE}`, "latin1"),
    "routes.yaml:1:4: byte 3 (0xfc) is no UTF-8",
    "ISO-8859-1",
  ],
  [
    "Latin-1 after UTF-8",
    Buffer.concat([Buffer.from("# ü\n# \uFFFD "), Buffer.from([0xe9])]),
    "routes.yaml:2:5: byte 11 (0xe9)",
    "ISO-8859-1",
  ],
  ["UTF-16", Buffer.from(`\uFEFF${ROUTE}`, "utf16le"), "routes.yaml:1:1: byte 0 (0xff) is no UTF-8", "UTF-16"],
])("%s is refused with the place", async (_, bytes, message, encoding) => {
  const { code, err } = await explain(bytes);
  expect(code).toBe(1);
  expect(err).toContain(message);
  expect(err).toContain(`iconv -f ${encoding} -t UTF-8`);
});

test("UTF-8 is read whole, with the mark that some editors put before it, and with a replacement character of its own", async () => {
  expect((await explain(`\uFEFF# \uFFFD für\n${ROUTE}`)).code).toBe(0);
});

test("a second document is refused with its place", async () => {
  const { code, err } = await explain(`${ROUTE}---\n${ROUTE}`);
  expect(code).toBe(1);
  expect(err).toMatch(/routes\.yaml:3:1: a second YAML document begins here/);
});

test("of very many mistakes the first are told, and how many more there are", async () => {
  const { err } = await explain(`routes:\n${"  - {service: reviews}\n".repeat(1000)}`);
  expect(err.split("\n").length).toBeLessThan(30);
  expect(err).toMatch(/routes\.yaml has \d{4} mistakes/);
  expect(err).toMatch(/and \d+ more/);
});

test("a host, a method and a path that headers name replace those of the request", async () => {
  const input =
    'keys: ["host:.test"]\nroutes: [{service: a, key: pr-1, when: [{request: method, exact: GET, not: true}, {request: path, exact: /a, not: true}], to: b}]\n';
  const headers = ["Host: pr-1.test", ":method: POST", ":path: /b"].flatMap((header) => ["-H", header]);
  const { out } = await runCli(["route", "explain", "-f", "-", "-o", "json", ...headers, "https://pr-2.test/a"], {
    input,
  });
  expect(JSON.parse(out)).toMatchObject({ outcome: "routed", key: "pr-1" });
});
