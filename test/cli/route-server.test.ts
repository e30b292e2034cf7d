// What goes wrong between the commands and a route server, in words.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { dnsSays } from "../double/names.ts";
import { freePort } from "../registry/listening.ts";
import { startRoutes } from "./routes.ts";
import { runCli } from "./run.ts";

async function answering(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const list = (...more: string[]) => runCli(["route", "list", ...more]);

test("a server that is not there is named, and how to name another", async () => {
  const port = await freePort();
  const { code, err } = await list("--server", `127.0.0.1:${port}`);
  expect([code, err]).toEqual([1, expect.stringContaining(`nothing listens at 127.0.0.1:${port}`)]);
  expect(err).toContain("is `keyway serve` running there?");
  onTestFinished(dnsSays("ENOTFOUND"));
  expect((await list("--server", "http://no.such.host.invalid")).err).toContain(
    "there is no host no.such.host.invalid",
  );
});

test("a server that is silent is waited for so long, and named", async () => {
  const server = await answering(() => {});
  const { code, err } = await list("--server", server, "--timeout", "0.2");
  expect([code, err]).toEqual([1, expect.stringContaining(`the route server ${server} did not answer within 0.2 s`)]);
  expect(err).toContain(`where: GET http://${server}/v1/routes`);
});

test("a token that is missing, unknown or too weak, with what to do; and it is never shown", async () => {
  const folder = await mkdtemp(join(tmpdir(), "keyway-tokens-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const tokens = join(folder, "tokens.yaml");
  await writeFile(
    tokens,
    "tokens: [{name: reader, token: look-at-it, roles: [read]}, {name: ci, token: change-it, roles: [write]}]",
  );
  const { route, routeWith } = await startRoutes({ tokens });
  const set = ["set", "reviews", "--key", "k", "--to", "b"];

  const missing = await route("list");
  expect([missing.code, missing.err]).toEqual([1, expect.stringContaining("--token-file FILE or in KEYWAY_TOKEN")]);
  const unknown = await routeWith({ env: { KEYWAY_TOKEN: "hunter2" } }, "list");
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining("this token is not known")]);
  expect(unknown.err).toContain("ask whoever runs the server for a token that it knows");
  const weak = await route(...set, "--token", "look-at-it");
  expect([weak.code, weak.err]).toEqual([1, expect.stringContaining("the token of reader has no role write")]);
  expect(weak.err).toContain("to give the token that role");
  for (const { out, err } of [unknown, weak]) expect(out + err).not.toMatch(/hunter2|look-at-it/);

  const file = join(folder, "token");
  await writeFile(file, "change-it\n");
  expect((await route(...set, "--token-file", file)).code).toBe(0);
  expect((await routeWith({ env: { KEYWAY_TOKEN_FILE: file } }, ...set)).out).toContain("unchanged");
  expect((await routeWith({ env: { KEYWAY_TOKEN: "nonsense" } }, ...set, "--token", "change-it")).code).toBe(0);
  await writeFile(file, "two\nlines\n");
  expect((await route("list", "--token-file", file)).err).toContain("this can be no token");
});

test("what is no route server is told so", async () => {
  const page = await answering((_, response) => response.end("<html>"));
  expect((await list("--server", page)).err).toContain("what answers is no route server of this kind");
  const missing = await answering((_, response) => response.writeHead(404).end("nothing\x1b[31m here"));
  const { err } = await list("--server", missing);
  expect(err).toContain("what answers is no route server: status 404, nothing [31m here");
  const led = await answering((_, response) =>
    response.writeHead(302, { location: "https://elsewhere.example/" }).end(),
  );
  expect((await list("--server", led)).err).toContain("leads to https://elsewhere.example/");
  const plain = await answering((_, response) => response.end());
  expect((await list("--server", `https://${plain}`)).err).toContain("write http:// before its name");
});

test("what may pass is tried again, and a refusal told once", async () => {
  let asked = 0;
  const server = await answering((_, response) => {
    asked++;
    if (asked === 1)
      response
        .writeHead(503, { "retry-after": "0" })
        .end('{"error": {"code": "unavailable", "message": "the store is away", "details": []}}');
    else if (asked === 2) response.destroy();
    else response.end('{"routes": [], "revision": 7}');
  });
  expect(await list("--server", server, "-o", "json")).toEqual({
    code: 0,
    out: expect.stringContaining('"revision": 7'),
    err: expect.any(String),
  });
  expect(asked).toBe(3);
  asked = -100;
  const away = await answering((_, response) => {
    asked++;
    response.writeHead(503).end('{"error": {"code": "unavailable", "message": "the store is away", "details": []}}');
  });
  const { code, err } = await list("--server", away);
  expect([code, err]).toEqual([1, expect.stringContaining("the store is away")]);
  expect(asked).toBe(-96);
});

/** A server with one route, which answers writes so. */
async function answeringWrites(answer: (response: ServerResponse, nth: number) => void) {
  const writes: string[] = [];
  const server = await answering((request, response) => {
    if (request.method === "GET")
      return void response.writeHead(404).end(failing("not_found", "there is no such route"));
    writes.push(`${request.method} ${request.url}`);
    request.resume().once("end", () => answer(response, writes.length));
  });
  const set = () => runCli(["route", "set", "reviews", "--key", "k", "--to", "t", "--server", server]);
  return { writes, set };
}

const failing = (code: string, message: string) => JSON.stringify({ error: { code, message, details: [] } });

test("a change is sent again where the server says that nothing of it was kept", async () => {
  const { writes, set } = await answeringWrites((response, nth) => {
    if (nth > 2) response.end('{"revision": 8}');
    else response.writeHead(503, { "retry-after": "0" }).end(failing("unavailable", "the store is away"));
  });
  expect((await set()).code).toBe(0);
  expect(writes).toHaveLength(3);
});

test.for<[string, (response: ServerResponse) => void, RegExp, RegExp]>([
  [
    "may have happened",
    (response) => response.writeHead(503).end(failing("undecided", "the store has not answered; it may still happen")),
    /it may still happen/,
    /see what is there \(`keyway route list`\), and run the command again/,
  ],
  [
    "lost its answer",
    (response) => response.destroy(),
    /the change may have happened all the same/,
    /see what is there/,
  ],
  [
    "met a gateway that says no more",
    (response) => response.writeHead(503).end("upstream error"),
    /no route server: status 503/,
    /--server/,
  ],
])("a change that %s is not sent again", async ([, answer, message, next]) => {
  const { writes, set } = await answeringWrites(answer);
  const { code, err } = await set();
  expect([code, err, err]).toEqual([1, expect.stringMatching(message), expect.stringMatching(next)]);
  expect(writes).toHaveLength(1);
});

test("a path before the server's own is kept, and proxies of the environment are not asked about this machine", async () => {
  const paths: (string | undefined)[] = [];
  const server = await answering((request, response) => {
    paths.push(request.url);
    response.end('{"routes": [], "revision": 7}');
  });
  const env = { KEYWAY_SERVER: `${server}/keyway/`, HTTP_PROXY: "http://127.0.0.1:1" };
  expect((await runCli(["route", "list"], { env })).code).toBe(0);
  expect(paths).toEqual(["/keyway/v1/routes?limit=1000"]);
});

test("a proxy of the environment is used for others, and named when it fails", async () => {
  const env = { KEYWAY_SERVER: "http://keyway.example", HTTP_PROXY: `http://127.0.0.1:${await freePort()}` };
  const { code, err } = await runCli(["route", "list"], { env });
  expect([code, err]).toEqual([1, expect.stringMatching(/the proxy 127\.0\.0\.1:\d+ can't be reached/)]);
});

test("an address in the environment that is none is wrong usage", async () => {
  expect(await runCli(["route", "list"], { env: { KEYWAY_SERVER: "ftp://x" } })).toMatchObject({
    code: 2,
    err: expect.stringContaining("KEYWAY_SERVER holds no address of a server"),
  });
});

test("Ctrl-C ends what waits", async () => {
  const stop = new AbortController();
  const server = await answering(() => stop.abort());
  const { code, err } = await runCli(["route", "list", "--server", server], { signal: stop.signal });
  expect([code, err]).toEqual([130, "keyway: interrupted\n"]);
});
