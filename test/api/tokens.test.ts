import { createHash } from "node:crypto";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ReferenceClient } from "../feed/reference-client.ts";
import { reviews, sent, startServer, temporaryFolder } from "./serve.ts";

const sha256 = (token: string) => createHash("sha256").update(token).digest("hex");
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function withTokens(content: string) {
  const folder = temporaryFolder();
  const file = join(folder, "tokens.yaml");
  writeFileSync(file, content, { mode: 0o600 });
  return { file, folder, server: await startServer({ tokens: file }, folder) };
}

const TOKENS = `
tokens:
  - {name: reader, token: read-token, roles: [read]}
  - {name: ci, sha256: ${sha256("write-token")}, roles: [write]}
  - {name: proxies, sha256: ${sha256("proxy-token").toUpperCase()}, roles: [proxy]}
  - {name: nothing, token: nothing-token, roles: []}
`;

test("each role may what it may, and no more", async () => {
  const { server } = await withTokens(TOKENS);
  const asked: [string, RequestInit, string][] = [
    ["/v1/routes", {}, "read"],
    ["/v1/routes/a", sent("PUT", reviews), "write"],
    ["/v1/routes/a:renew", sent("POST", { ttl: "1h" }), "write"],
    ["/v1/routes:apply", sent("POST", {}), "write"],
    ["/v1/explain", sent("POST", { service: "reviews" }), "read"],
    ["/v1/table", {}, "proxy"],
  ];
  const allowed: Record<string, string[]> = {
    "read-token": ["read"],
    "write-token": ["read", "write"],
    "proxy-token": ["proxy"],
    "nothing-token": [],
  };
  for (const [path, init, role] of asked) {
    for (const [token, roles] of Object.entries(allowed)) {
      const { status, body } = await server.ask(path, { ...init, headers: { ...init.headers, ...bearer(token) } });
      if (roles.includes(role)) expect([401, 403], `${path} ${token}`).not.toContain(status);
      else expect([status, body.error.code], `${path} ${token}`).toEqual([403, "forbidden"]);
    }
    for (const headers of [{}, bearer("unknown"), { authorization: "Basic eDp5" }, { authorization: "Bearer " }]) {
      const {
        status,
        headers: answered,
        body,
      } = await server.ask(path, { ...init, headers: { ...init.headers, ...headers } });
      expect([status, body.error.code]).toEqual([401, "unauthenticated"]);
      expect(answered.get("www-authenticate")).toContain("Bearer");
    }
  }
  for (const path of ["/healthz", "/readyz", "/metrics", "/openapi.json"])
    expect((await server.ask(path)).status).toBe(200);
});

test("requests without a token may what anonymous may", async () => {
  const { server } = await withTokens("tokens: []\nanonymous: [read]\n");
  expect((await server.ask("/v1/routes")).status).toBe(200);
  expect((await server.ask("/v1/routes/a", sent("PUT", reviews))).status).toBe(401);
  expect((await server.ask("/v1/routes", { headers: bearer("unknown") })).status).toBe(401);
});

test("a token that is revoked lets nobody in, and ends what it was let into; others go on", async () => {
  const { file, server } = await withTokens(TOKENS);
  const watching = async (token: string) => {
    const { body } = await fetch(`${server.url}/v1/watch`, { headers: bearer(token) });
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    return reader;
  };
  const [revoked, kept] = [await watching("read-token"), await watching("write-token")];
  writeFileSync(file, TOKENS.replace("read-token", "other-token"));
  for (;;) if ((await revoked.read()).done) break;
  expect((await server.ask("/v1/routes", { headers: bearer("read-token") })).status).toBe(401);
  expect((await server.ask("/v1/routes", { headers: bearer("other-token") })).status).toBe(200);
  await server.ask("/v1/routes/a", sent("PUT", reviews, bearer("write-token")));
  expect(new TextDecoder().decode((await kept.read()).value)).toContain("event: set");
  await kept.cancel();
});

test("a proxy's poll that waits ends with its token", async () => {
  const { file, server } = await withTokens(TOKENS);
  const client = new ReferenceClient();
  const poll = (wait: number) =>
    fetch(`${server.url}/v1/table?${client.query(wait)}`, { headers: bearer("proxy-token") });
  while (!client.isConsistent) client.apply(new Uint8Array(await (await poll(0)).arrayBuffer()));
  const held = poll(20);
  const waiting = async () => (await server.ask("/metrics", { headers: bearer("read-token") })).body;
  await expect.poll(waiting).toContain("keyway_server_polls 1");
  writeFileSync(file, TOKENS.replace("name: proxies, sha256", "name: others, sha256"));
  const answer = await held;
  expect(answer.status).toBe(401);
  expect(await answer.text()).toContain("was revoked");
});

test("a tokens file that can't be read any more leaves the tokens as they were, and the log says so", async () => {
  const { file, server } = await withTokens(TOKENS);
  writeFileSync(file, "tokens: [{name: x}]");
  await expect.poll(() => server.log.join("")).toContain("the tokens from before stay");
  rmSync(file);
  expect((await server.ask("/v1/routes", { headers: bearer("read-token") })).status).toBe(200);
  expect(server.log.join("")).not.toContain("read-token");
});

test.each([
  ["tokens: [{name: a, token: x}]", "tokens[0].roles: required"],
  ["tokens: [{name: a, token: x, roles: [admin]}]", "tokens[0].roles[0]: expected read, write or proxy"],
  ["tokens: [{name: a, roles: [read]}]", "tokens[0]: exactly one of sha256, token is needed"],
  ["tokens: [{name: a, sha256: abc, roles: [read]}]", "64 hexadecimal digits"],
  ["tokens: 5", "expected a list of tokens"],
  ["a: [", "not YAML"],
])("a tokens file that can't be used stops the start, with the place: %s", async (content, message) => {
  await expect(withTokens(content)).rejects.toThrow(message);
});

test("a file that others can read is told of", async () => {
  const folder = temporaryFolder();
  const file = join(folder, "tokens.yaml");
  writeFileSync(file, TOKENS);
  chmodSync(file, 0o644);
  const { log } = await startServer({ tokens: file }, folder);
  expect(log.join("")).toContain("others on this machine can read the tokens");
});

test("beyond this machine a server without tokens does not start", async () => {
  for (const listen of [":0", "0.0.0.0:0", "[::]:0"]) {
    await expect(startServer({ listen })).rejects.toMatchObject({ next: expect.stringContaining("--tokens FILE") });
  }
  for (const listen of ["127.0.0.1:0", "localhost:0", "127.9.9.9:0"]) await startServer({ listen });
});

test("without tokens, a web page of elsewhere changes and reads nothing", async () => {
  const { ask } = await startServer();
  for (const origin of ["https://example.com", "http://127.0.0.1.example.com", "null"]) {
    for (const [path, init] of [
      ["/v1/routes/a", sent("PUT", reviews, { origin })],
      ["/v1/routes", { headers: { origin } }],
    ] as const) {
      expect(await ask(path, init)).toMatchObject({ status: 403, body: { error: { code: "forbidden" } } });
    }
  }
  for (const origin of ["http://localhost:8700", "http://127.0.0.1:3000", "http://[::1]:8700"]) {
    expect((await ask("/v1/routes/a", sent("PUT", reviews, { origin }))).status).toBeLessThan(300);
  }
});
