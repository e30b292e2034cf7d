import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isLoopback, parseAddress } from "../../server/address.ts";
import { readSettings, unknownVariables, variableOf } from "../../server/settings.ts";
import type { Io } from "../../shared/io.ts";
import { temporaryFolder } from "../api/serve.ts";

const nowhere = { write: () => {} };
const ioOf = (env: Io["env"] = {}): Io => ({
  out: nowhere,
  err: nowhere,
  in: [],
  env,
  signal: new AbortController().signal,
});

function config(content: string): string {
  const file = join(temporaryFolder(), "serve.yaml");
  writeFileSync(file, content);
  return file;
}

test("without a word, everything has its default", async () => {
  expect(await readSettings({}, ioOf())).toEqual({
    listen: "127.0.0.1:8700",
    store: "sqlite:keyway.db",
    domain: "cluster.local",
    readiness: "endpoints",
    settle: 1,
    controller: true,
    keys: ["header:x-routing-key"],
    maxBody: 268_435_456,
    maxRoutes: 1_000_000,
    writeTimeout: 20,
    maxConnections: 20_000,
    grace: 10,
    logLevel: "info",
  });
});

test("flags win over variables, these over the file, and the file over defaults", async () => {
  const file = config("listen: 127.0.0.1:1\ndomain: of.file\nmaxBody: 1Mi\ngrace: 3\nkeys: [signadot, 'query:k']\n");
  const env = { KEYWAY_SERVE_LISTEN: "127.0.0.1:2", KEYWAY_SERVE_DOMAIN: "of.environment", KEYWAY_SERVE_CONFIG: file };
  const settings = await readSettings({ listen: "127.0.0.1:3" }, ioOf(env));
  expect(settings).toMatchObject({
    listen: "127.0.0.1:3",
    domain: "of.environment",
    maxBody: 1_048_576,
    grace: 3,
    keys: ["signadot", "query:k"],
    logLevel: "info",
  });
});

test("the file's fields may be spelled as the flags are", async () => {
  expect(await readSettings({ config: config("max-body: 2Mi\nlog-level: debug\n") }, ioOf())).toMatchObject({
    maxBody: 2_097_152,
    logLevel: "debug",
  });
});

test.each<[Record<string, string>, Io["env"], string]>([
  [{ listen: "nowhere" }, {}, "--listen: expected HOST:PORT"],
  [{ listen: "127.0.0.1:70000" }, {}, "--listen: expected HOST:PORT"],
  [{ store: "mysql:x" }, {}, "--store: expected sqlite:FILE"],
  [{ maxBody: "10GB" }, {}, "--max-body: expected a size from 1Ki to 512Mi"],
  [{ maxBody: "0" }, {}, "--max-body: expected a size"],
  [{ grace: "-1" }, {}, "--grace: expected a whole number from 0 to 600"],
  [{ logLevel: "loud" }, {}, "--log-level: expected debug, info, warn, error, silent"],
  [{ keys: "header:x, nonsense" }, {}, '--keys: unknown source "nonsense"'],
  [{ hierarchy: "ab" }, {}, "--hierarchy: expected one character"],
  [{}, { KEYWAY_SERVE_MAX_CONNECTIONS: "many" }, "KEYWAY_SERVE_MAX_CONNECTIONS: expected a whole number"],
  [{ tokens: "" }, {}, "--tokens: expected a file"],
  [{ peers: "keyway" }, {}, "--peers: expected NAMESPACE/SERVICE, or the servers' addresses"],
  [{ peers: "a/b,c/d" }, {}, "--peers: expected NAMESPACE/SERVICE"],
  [{ peers: "http://a:8700/v1" }, {}, "--peers: expected NAMESPACE/SERVICE"],
  [{ peers: "http://user:secret@a:8700" }, {}, "--peers: expected NAMESPACE/SERVICE"],
  [{ peers: "ftp://a" }, {}, "--peers: expected NAMESPACE/SERVICE"],
])("what can't be is refused with where it was said: %j %j", async (flags, env, message) => {
  await expect(readSettings(flags, ioOf(env))).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining(message),
  });
});

test("other servers are a Service, or addresses", async () => {
  const peers = async (flag: string) => (await readSettings({ peers: flag }, ioOf())).peers;
  expect(await peers("keyway-system/keyway")).toEqual({ namespace: "keyway-system", service: "keyway" });
  expect(await peers("http://a:8700, https://b/,http://a:8700")).toEqual(["http://a:8700", "https://b"]);
  expect((await readSettings({ config: config("peers: [http://a:8700]") }, ioOf())).peers).toEqual(["http://a:8700"]);
});

test.each([
  ["lissten: x", /serve.yaml:1:1: .*unknown setting "lissten"; did you mean listen\?/],
  ["- a", /serve.yaml:1:1: expected settings/],
  ["a: [", /serve.yaml:1:.* not YAML/],
  ["grace: soon", /serve.yaml: grace: expected a whole number from 0 to 600/],
])("a file that can't be used is refused with the place: %s", async (content, message) => {
  await expect(readSettings({ config: config(content) }, ioOf())).rejects.toThrow(message);
});

test("a file that is not there is told of", async () => {
  await expect(readSettings({ config: "/nowhere.yaml" }, ioOf())).rejects.toThrow("there is no file /nowhere.yaml");
});

test("a variable that is no setting is told of and stops nothing", () => {
  const unknown = `${variableOf("listen")}S`;
  expect(unknownVariables({ [unknown]: "x", [variableOf("listen")]: "y", PATH: "z" })).toEqual([unknown]);
});

test("addresses, and which of them only this machine reaches", () => {
  expect(parseAddress(":8700")).toEqual({ host: "::", port: 8700 });
  expect(parseAddress("[::1]:8700")).toEqual({ host: "::1", port: 8700 });
  expect(parseAddress("keyway.local:1")).toEqual({ host: "keyway.local", port: 1 });
  for (const text of ["", "8700", "a:b", "a:1:2", "::1:8700", "a b:1"]) expect(parseAddress(text)).toBeUndefined();
  for (const host of ["127.0.0.1", "127.1.2.3", "localhost", "::1"]) expect(isLoopback(host)).toBe(true);
  for (const host of ["::", "0.0.0.0", "10.0.0.1", "127.example.com", "localhost.example.com"])
    expect(isLoopback(host)).toBe(false);
});
