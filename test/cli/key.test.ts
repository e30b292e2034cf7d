// Signed keys from the command line.
import { execFileSync } from "node:child_process";
import { createHmac, generateKeyPairSync, sign as signText } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { verifySignature } from "../../installer/keys/verify.ts";
import { splitSigned } from "../../routes/model/signed-key.ts";
import { expectGolden, type Run, runCli, transcript } from "./run.ts";

const SECRET = Buffer.alloc(32, 7).toString("base64");
const NOW = Date.UTC(2030, 0, 1, 12);

let folder: string;
const file = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyway-key-"));
  await writeFile(file("hmac.key"), JSON.stringify({ id: "2030-01", secret: SECRET }));
  await writeFile(file("routes.yaml"), `edge: {accept: signed, keys: [{id: 2030-01, secret: ${SECRET}}]}\n`);
  await writeFile(file("no-edge.yaml"), "routes: []\n");
  await writeFile(file("other.key"), JSON.stringify({ id: "2030-01", secret: Buffer.alloc(32, 8).toString("base64") }));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

const key = (...args: string[]): Promise<Run> => runCli(["key", ...args]);
async function shows(name: string, args: string[], input = ""): Promise<void> {
  const text = transcript(await runCli(["key", ...args], { input })).replaceAll(`${folder}/`, "");
  await expectGolden(name, text);
  expect(text).not.toContain(SECRET);
}
const sign = (...more: string[]) => ["sign", "pr-42", "--key-file", file("hmac.key"), ...more];
const token = async (...more: string[]) => (await key(...sign("--ttl", "2h", ...more))).out.trim();

test("sign", () => shows("key-sign", sign("--ttl", "2h", "--services", "reviews,ratings.shop")));
test("sign as JSON", () => shows("key-sign-json", sign("--expires", "2030-01-02T00:00:00Z", "-o", "json")));
test("verify", async () => {
  await shows("key-verify", ["verify", await token("--services", "reviews"), "-f", file("routes.yaml")]);
  const text = await token();
  await shows("key-verify-json", ["verify", "-", "--key-file", file("hmac.key"), "-o", "json"], `${text}\n`);
});

describe("what can't be", () => {
  test.each<[string, () => string[] | Promise<string[]>]>([
    ["sign-no-end", () => sign()],
    ["sign-past", () => sign("--expires", "2029-01-01T00:00:00Z")],
    ["sign-later-than-any", () => sign("--expires", "9999-12-31T23:59:59Z")],
    ["sign-no-duration", () => sign("--ttl", "soon")],
    ["sign-no-service", () => sign("--ttl", "2h", "--services", "reviews:9080")],
    ["sign-no-key", () => ["sign", "pr 42", "--ttl", "2h", "--key-file", file("hmac.key")]],
    ["sign-too-long", () => sign("--ttl", "2h", "--services", Array(200).fill("reviews").join(","))],
    ["sign-no-file", () => ["sign", "pr-42", "--ttl", "2h", "--key-file", file("none.key")]],
    ["sign-no-key-in-it", () => ["sign", "pr-42", "--ttl", "2h", "--key-file", file("routes.yaml")]],
    ["verify-by-nothing", async () => ["verify", await token()]],
    ["verify-no-keys", async () => ["verify", await token(), "-f", file("no-edge.yaml")]],
    ["verify-plain", () => ["verify", "pr-42", "-f", file("routes.yaml")]],
    ["verify-forged", async () => ["verify", await token(), "--key-file", file("other.key")]],
    ["verify-foreign", async () => ["verify", await token("--id", "theirs"), "-f", file("routes.yaml")]],
    [
      "verify-elsewhere",
      async () => [
        "verify",
        await token("--services", "reviews"),
        "-f",
        file("routes.yaml"),
        "--service",
        "ratings.demo",
      ],
    ],
    [
      "verify-expired",
      async () => {
        const text = await token();
        vi.setSystemTime(NOW + 7_200_000);
        return ["verify", text, "-f", file("routes.yaml")];
      },
    ],
    ["generate-over-another", () => ["generate", "--id", "a", "--key-file", file("hmac.key")]],
    [
      "verify-no-service",
      async () => ["verify", await token(), "-f", file("routes.yaml"), "--service", "reviews:9080"],
    ],
    ["generate-to-stdout", () => ["generate", "--id", "a", "--key-file", "-"]],
    ["generate-no-id", () => ["generate", "--id", "a~b", "--key-file", file("new.key")]],
  ])("%s", async (name, args) => shows(`key-${name}`, await args()));
});

test("the last second that can be signed is one that proxies can read", async () => {
  const signed = (await key(...sign("--expires", "5138-11-16T09:46:39Z"))).out.trim();
  expect(splitSigned(signed)?.expires).toBe(99_999_999_999);
  expect((await key(...sign("--expires", "5138-11-16T09:46:40Z"))).code).toBe(2);
});

test.each([
  ["reviews.demo.svc.cluster.local", "reviews.demo", 0],
  ["reviews.demo", "reviews.demo.svc.cluster.local", 0],
  ["reviews.demo", "reviews.other", 1],
  ["reviews", "reviews-evil.demo", 1],
])("a key for %s, asked for %s: exit code %i", async (services, service, code) => {
  const text = await token("--services", services);
  expect((await key("verify", text, "-f", file("routes.yaml"), "--service", service)).code).toBe(code);
});

test("a signature in another form of base64url is none, as for proxies", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 3072 });
  const ofRsa = { id: "a", publicKey: publicKey.export({ format: "der", type: "spki" }).toString("base64") };
  const whole = signText("sha256", Buffer.from("text"), privateKey).toString("base64url");
  expect([whole, `${whole}A`].map((one) => verifySignature(ofRsa, "text", one))).toEqual([true, false]);
  const code = createHmac("sha256", Buffer.from(SECRET, "base64")).update("text").digest("base64url");
  // Two bits of its last character are spare.
  const other = code.slice(0, -1) + String.fromCharCode(code.charCodeAt(code.length - 1) + 1);
  expect(Buffer.from(other, "base64url")).toEqual(Buffer.from(code, "base64url"));
  expect([code, other].map((one) => verifySignature({ id: "b", secret: SECRET }, "text", one))).toEqual([true, false]);
});

describe.each(["ecdsa", "rsa", "hmac"])("generate %s", (algorithm) => {
  test("what it makes signs, and what it prints verifies; nothing that signs is printed", async () => {
    const path = file(`${algorithm}.new`);
    const made = await key("generate", "--id", "2030-02", "--algorithm", algorithm, "--key-file", path);
    expect(made.code).toBe(0);
    const written = JSON.parse(await readFile(path, "utf8"));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const shown = made.out + made.err;
    for (const line of String(written.secret ?? written.privateKey)
      .split("\n")
      .filter((one) => /^[^-]/.test(one)))
      expect(shown).not.toContain(line);

    const { edge } = parse(made.out);
    expect(edge.accept).toBe("signed");
    const [entry] = edge.keys;
    expect(entry.id).toBe("2030-02");
    const routes = file(`${algorithm}.yaml`);
    await writeFile(routes, made.out.trimEnd() + (algorithm === "hmac" ? `\n      secret: ${written.secret}\n` : "\n"));
    const signed = (await key("sign", "a~b~c", "--ttl", "1m", "--key-file", path)).out.trim();
    expect(await key("verify", signed, "-f", routes)).toMatchObject({ code: 0 });
    expect(await key("verify", `${signed.slice(0, -8)}AAAAAAAA`, "-f", routes)).toMatchObject({ code: 1, out: "" });
    const parts = splitSigned(signed);
    expect(parts).toMatchObject({ key: "a~b~c", expires: NOW / 1000 + 60, services: [], id: "2030-02" });
    const withSecret = { ...entry, ...(written.secret && { secret: written.secret }) };
    expect(verifySignature(withSecret, parts?.text ?? "", parts?.signature ?? "")).toBe(true);
  });
});

test("a private key in PEM, with an id that is said", async () => {
  const pem = execFileSync(process.execPath, [
    "-e",
    'const c = require("node:crypto"); process.stdout.write(c.generateKeyPairSync("ec", {namedCurve: "P-256"}).privateKey.export({format: "pem", type: "sec1"}))',
  ]).toString();
  await writeFile(file("ec.pem"), pem);
  const without = await key("sign", "pr-42", "--ttl", "2h", "--key-file", file("ec.pem"));
  expect([without.code, without.out, without.err]).toEqual([1, "", expect.stringContaining("--id")]);
  const signed = (await key("sign", "pr-42", "--ttl", "2h", "--key-file", file("ec.pem"), "--id", "own")).out.trim();
  expect(await key("verify", signed, "--key-file", file("ec.pem"), "--id", "own")).toMatchObject({ code: 0 });
});

test("explain decides by a signed key as a gateway does", async () => {
  const routes = `edge: {accept: signed, keys: [{id: 2030-01, secret: ${SECRET}}]}\nroutes: [{service: reviews, key: pr-42, to: reviews-pr-42}]\n`;
  await writeFile(file("explain.yaml"), routes);
  const explain = async (value: string) =>
    JSON.parse(
      (
        await runCli([
          "route",
          "explain",
          "-f",
          file("explain.yaml"),
          "-H",
          `x-routing-key: ${value}`,
          "-o",
          "json",
          "/",
        ])
      ).out,
    );
  expect(await explain(await token())).toMatchObject({ outcome: "routed", key: "pr-42", to: "reviews-pr-42" });
  expect(await explain(await token("--services", "ratings"))).toMatchObject({ outcome: "invalid_key", to: null });
  expect(await explain("pr-42")).toMatchObject({ outcome: "no_key", to: null });

  // On the way into a workload the cluster's name names no service; the route file does.
  await writeFile(file("explain.yaml"), routes.replace("reviews,", "reviews.demo:9080,"));
  const args = ["route", "explain", "-f", file("explain.yaml"), "--mode", "inbound", "-n", "demo", "-o", "json", "/"];
  const inbound = async (services: string) =>
    JSON.parse((await runCli([...args, "-H", `x-routing-key: ${await token("--services", services)}`])).out).outcome;
  expect([await inbound("reviews.demo"), await inbound("ratings")]).toEqual(["routed", "invalid_key"]);
});
