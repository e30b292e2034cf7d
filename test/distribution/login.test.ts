import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Secret } from "../../installer/cli/secret.ts";
import type { Credentials } from "../../installer/registry/auth.ts";
import { Login, parseChallenges } from "../../installer/registry/auth.ts";
import { installed } from "../../scripts/parts/apt.ts";
import { runCli } from "../cli/run.ts";
import type { Server } from "../registry/listening.ts";
import { IMAGE, MODULE, trial } from "../registry/trial.ts";
import { startFaulty } from "./faulty.ts";
import { startRegistry } from "./server.ts";
import { selfSigned, startTokenService, type TokenService } from "./tokens.ts";

const PASSWORD = "open sesame";
const BCRYPT = "$2b$05$t7AXDTvN9iozTT9Ihcl0POmrF/yF7h6t9bMuy8vPvuh1imeDGO6xW";
const REFRESH = "refresh-me-0123456789";
const alice: Credentials = { kind: "basic", username: "alice", password: new Secret(PASSWORD) };

let folder: string;
let tokens: TokenService;
let basic: Server;
let bearer: Server;
let module: string;

beforeAll(async () => {
  await installed({ program: "openssl", package: "openssl" });
  folder = await mkdtemp(join(tmpdir(), "keyway-login-"));
  module = join(folder, "keyway.wasm");
  await writeFile(module, MODULE);
  await writeFile(join(folder, "htpasswd"), `alice:${BCRYPT.replace("$2b$", "$2y$")}\n`);
  tokens = await startTokenService(folder, PASSWORD, REFRESH);
  [basic, bearer] = await Promise.all([
    startRegistry({ htpasswd: { realm: "test", path: join(folder, "htpasswd") } }),
    startRegistry(tokens.auth),
  ]);
}, 300_000);
afterAll(() => Promise.all([basic.stop(), bearer.stop(), tokens.stop(), rm(folder, { recursive: true })]));
afterEach(() => {
  tokens.scopes.length = 0;
});

/** Runs `keyway publish` with a home folder of its own, and checks that nothing secret is shown. */
async function publish(host: string, args: string[], { env = {}, input = "" } = {}) {
  const url = `oci://${host}/login/test:1.0`;
  const home = { HOME: join(folder, "nobody"), PATH: `${folder}:${process.env.PATH}` };
  const run = await runCli(["publish", "--insecure", "--module", module, ...args, url], {
    env: { ...home, ...env },
    input,
  });
  for (const secret of [PASSWORD, REFRESH, Buffer.from(`alice:${PASSWORD}`).toString("base64")]) {
    expect(run.out + run.err).not.toContain(secret);
  }
  return run;
}

async function dockerConfig(config: unknown): Promise<Record<string, string>> {
  const path = await mkdtemp(join(folder, "docker-"));
  await writeFile(join(path, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
  return { DOCKER_CONFIG: path };
}

/** A credential helper that answers with the shell text `script`. */
async function helper(name: string, script: string): Promise<void> {
  const path = join(folder, `docker-credential-${name}`);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

const servers: [string, () => Server][] = [
  ["basic", () => basic],
  ["bearer", () => bearer],
];

test.each(servers)("%s: with the password from standard input", async (_, server) => {
  const { code, out } = await publish(server().host, ["--username", "alice", "--password-stdin"], {
    input: `${PASSWORD}\n`,
  });
  expect(code).toBe(0);
  expect(out).toMatch(/^oci:\/\/127\.0\.0\.1:\d+\/login\/test@sha256:[0-9a-f]{64}\n$/);
});

test.each(servers)("%s: from the environment", async (_, server) => {
  const env = { KEYWAY_REGISTRY_USERNAME: "alice", KEYWAY_REGISTRY_PASSWORD: PASSWORD };
  expect((await publish(server().host, [], { env })).code).toBe(0);
});

test.each(servers)("%s: from Docker's configuration", async (_, server) => {
  const auth = Buffer.from(`alice:${PASSWORD}`).toString("base64");
  const env = await dockerConfig({ auths: { [server().host]: { auth } } });
  expect((await publish(server().host, [], { env })).code).toBe(0);
});

test.each(servers)("%s: from a credential helper", async (_, server) => {
  const { host } = server();
  await helper(
    "good",
    `read host; [ "$1 $host" = "get ${host}" ] && echo '{"Username": "alice", "Secret": "${PASSWORD}"}'`,
  );
  const ofHost = await dockerConfig({ credHelpers: { [host]: "good" } });
  expect((await publish(host, [], { env: ofHost })).code).toBe(0);
  const ofAll = await dockerConfig({ credsStore: "good" });
  expect((await publish(host, [], { env: ofAll })).code).toBe(0);
});

test.each(servers)("%s: a wrong password is told from none", async (_, server) => {
  const { host } = server();
  const none = await publish(host, []);
  expect(none.code).toBe(1);
  expect(none.err).toMatch(/wants a login to push to login\/test|the token service wants a login/);
  expect(none.err).toContain("--username");
  const wrong = await publish(host, ["--username", "alice", "--password-stdin"], { input: "guess" });
  expect(wrong.code).toBe(1);
  expect(wrong.err).toContain("does not accept the credentials of alice");
});

test("an identity token is exchanged for a token of the registry", async () => {
  const { host } = bearer;
  const stored = await dockerConfig({ auths: { [host]: { identitytoken: REFRESH } } });
  expect((await publish(host, [], { env: stored })).code).toBe(0);
  await helper("token", `echo '{"Username": "<token>", "Secret": "${REFRESH}"}'`);
  const helped = await dockerConfig({ credsStore: "token" });
  expect((await publish(host, [], { env: helped })).code).toBe(0);
});

test.each<[string, unknown, string]>([
  [
    "a helper that is not there",
    { credsStore: "absent" },
    "the credential helper docker-credential-absent can't be run",
  ],
  [
    "a helper that fails",
    { credsStore: "failing" },
    "the credential helper docker-credential-failing failed with exit code 3",
  ],
  [
    "a helper that says on standard error why it fails",
    { credsStore: "chatty" },
    "docker-credential-chatty failed with exit code 1: the vault is sealed",
  ],
  [
    "a helper that says on standard output why it fails",
    { credsStore: "spoken" },
    "docker-credential-spoken failed with exit code 1: error getting credentials: no session",
  ],
  [
    "a helper that talks nonsense",
    { credsStore: "nonsense" },
    "docker-credential-nonsense answered something other than JSON",
  ],
  [
    "a helper that fails after it has said the secret",
    { credsStore: "leaky" },
    "docker-credential-leaky failed with exit code 1\n",
  ],
  ["a configuration that is no JSON", "{", "can't read Docker's configuration: it is not JSON"],
])("%s is explained", async (_, config, what) => {
  await helper("failing", "exit 3");
  await helper("nonsense", "echo hello");
  await helper("chatty", "echo 'the vault is sealed' >&2; exit 1");
  await helper("spoken", "echo 'error getting credentials: no session'; exit 1");
  await helper("leaky", `echo '{"Username": "alice", "Secret": "${PASSWORD}"}'; exit 1`);
  const { code, err } = await publish(basic.host, [], { env: await dockerConfig(config) });
  expect(code).toBe(1);
  expect(err).toContain(what);
  expect(err).toContain("next:");
});

test("a helper without credentials leaves the ones that are stored", async () => {
  await helper("empty", "echo 'credentials not found in native keychain'; exit 1");
  const auth = Buffer.from(`alice:${PASSWORD}`).toString("base64");
  const env = await dockerConfig({ credsStore: "empty", auths: { [basic.host]: { auth } } });
  expect((await publish(basic.host, [], { env })).code).toBe(0);
});

test("a token that ends half-way is replaced", async () => {
  const challenge = (path: string) =>
    `Bearer realm="http://${tokens.host}/token",service="registry",scope="repository:${/v2\/(.*)\/manifests/.exec(path)?.[1]}:pull,push"`;
  const ending = await startFaulty(bearer.host, ({ method, path, earlier }) =>
    method === "PUT" && path.includes("/manifests/") && earlier === 0
      ? { status: 401, headers: { "www-authenticate": challenge(path) } }
      : undefined,
  );
  try {
    await trial(ending.host, "ending/token", alice).publish("1.0");
    expect(ending.asked.filter((one) => one === "PUT manifests")).toHaveLength(3);
  } finally {
    await ending.stop();
  }
});

test("a token that the registry does not take is not asked for without end", async () => {
  tokens.expired = 1;
  await expect(trial(bearer.host, "expired/token", alice).publish("1.0")).rejects.toThrow(
    "does not accept the credentials of alice",
  );
  expect(tokens.scopes).toHaveLength(1);
});

test("taking blobs over from another repository asks for the right to both", async () => {
  await trial(bearer.host, "from/here", alice).publish("1.0");
  tokens.scopes.length = 0;
  const { told, publish } = trial(bearer.host, "to/there", alice, "from/here");
  await publish("1.0");
  expect(told.slice(0, 2)).toEqual(["config 163 B: taken over", "module 2.0 KiB: taken over"]);
  expect(tokens.scopes.at(-1)?.sort()).toEqual(
    expect.arrayContaining(["repository:from/here:pull", expect.stringMatching(/^repository:to\/there:/)]),
  );
});

test("credentials never go to another address that the registry leads to", async () => {
  const seen: (string | undefined)[] = [];
  const storage = await startFaulty(basic.host, ({ headers }) => {
    seen.push(headers.authorization);
    return { status: 200, body: Buffer.from(IMAGE.layer.bytes) };
  });
  const leading = await startFaulty(basic.host, ({ method, path }) =>
    method === "GET" && path.endsWith(IMAGE.layer.digest)
      ? { status: 307, headers: { location: `http://${storage.host}/elsewhere` } }
      : undefined,
  );
  try {
    await trial(leading.host, "led/away", alice).publish("1.0");
    expect(seen).toEqual([undefined]);
  } finally {
    await Promise.all([storage.stop(), leading.stop()]);
  }
});

test("a token service without TLS gets no login from a registry with it", async () => {
  const asked: unknown[] = [];
  const login = new Login({ credentials: alice }, false, async (request) => {
    asked.push(request);
    return { status: 200, headers: new Headers(), body: Buffer.from('{"token": "t"}'), url: request.url, where: "" };
  });
  await expect(login.learn('Bearer realm="http://service.example/token"')).rejects.toThrow("can't be sent to safely");
  await expect(login.learn('Bearer realm="nonsense"')).rejects.toThrow("can't be sent to safely");
  expect(asked).toEqual([]);
});

test("a certificate that nobody vouches for is explained", async () => {
  const { key, cert } = selfSigned(await mkdtemp(join(folder, "cert-")));
  const server = createServer({ key, cert });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const run = await runCli(["publish", "--module", module, `oci://${host}/team/keyway:1`], { env: { HOME: folder } });
  expect(run.err).toContain(`the certificate of ${host} is not trusted`);
  expect(run.err).toContain("NODE_EXTRA_CA_CERTS");
  await new Promise((resolve) => server.close(resolve));
});

test("several challenges in one header are told apart", () => {
  expect(
    parseChallenges('Basic realm="a, b", Bearer realm="https://t/x?y=1",service="r",scope="repository:a:pull,push"'),
  ).toEqual([
    { scheme: "basic", parameters: { realm: "a, b" } },
    { scheme: "bearer", parameters: { realm: "https://t/x?y=1", service: "r", scope: "repository:a:pull,push" } },
  ]);
});

test("wrong use of the login flags", async () => {
  const alone = await publish(basic.host, ["--password-stdin"]);
  expect([alone.code, alone.err]).toEqual([2, expect.stringContaining("--password-stdin needs --username")]);
  const silent = await publish(basic.host, ["--username", "alice"]);
  expect([silent.code, silent.err]).toEqual([2, expect.stringContaining("there is no password for --username")]);
});
