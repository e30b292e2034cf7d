// What others do to a server does not stop it from answering.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { reviews, sent, temporaryFolder } from "../api/serve.ts";
import { startChild } from "./child.ts";

const database = () => join(temporaryFolder(), "keyway.db");

async function open(url: string, text = ""): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  if (text !== "") socket.write(text);
  return socket;
}

test("2,000 idle connections and 200 slow bodies leave the server answering, and cost it little", async () => {
  const server = await startChild(database());
  const rss = async () => Number(/process_resident_memory_bytes (\d+)/.exec((await server.ask("/metrics")).body)?.[1]);
  const before = await rss();
  for (let at = 0; at < 20; at++) await Promise.all(Array.from({ length: 100 }, () => open(server.url)));
  const slow = "PUT /v1/routes/slow HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n{";
  await Promise.all(Array.from({ length: 200 }, () => open(server.url, slow)));
  const { status } = await server.ask("/v1/routes/a", sent("PUT", reviews));
  expect(status).toBe(201);
  expect((await server.ask("/metrics")).body).toMatch(/keyway_server_connections 22\d\d/);
  // 10,000 at this rate take less than half a gigabyte.
  expect((await rss()) - before).toBeLessThan(2200 * 50_000);
});

test("no more connections than allowed: the rest is closed, and served again when others have left", async () => {
  const server = await startChild(database(), { flags: ["--max-connections", "50"] });
  const sockets: Socket[] = [];
  for (let at = 0; at < 50; at++) sockets.push(await open(server.url));
  const extra = await open(server.url, "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n");
  await expect.poll(() => extra.closed, { timeout: 5000 }).toBe(true);
  for (const socket of sockets) socket.destroy();
  await expect
    .poll(async () => (await server.ask("/healthz").catch(() => undefined))?.status, { timeout: 5000 })
    .toBe(200);
});

test("a body of which nothing more comes is given up, and nothing of it is kept", async () => {
  const server = await startChild(database());
  const body = JSON.stringify(reviews);
  const socket = await open(
    server.url,
    `PUT /v1/routes/a HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length + 10}\r\n\r\n${body}`,
  );
  let answer = "";
  socket.on("data", (piece) => {
    answer += piece;
  });
  await once(socket, "close");
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(JSON.parse(answer.split("\r\n\r\n")[1] ?? "").error.code).toBe("timeout");
  expect((await server.ask("/v1/routes")).body.routes).toEqual([]);
});

test("a million routes in one request are refused with the limit; 100,000 are taken in one transaction", async () => {
  const server = await startChild(database());
  const routes = (count: number) =>
    JSON.stringify({
      set: Array.from({ length: count }, (_, at) => ({
        id: `r-${at}`,
        service: "reviews:9080",
        key: `pr-${at}`,
        to: `reviews-pr-${at}`,
      })),
    });
  const refused = await server.ask("/v1/routes:apply", sent("POST", routes(1_000_000)));
  expect(refused).toMatchObject({
    status: 413,
    body: { error: { code: "too_large", message: expect.stringContaining("67108864 bytes (--max-body)") } },
  });
  expect((await server.ask("/v1/routes:apply", sent("POST", routes(100_000)))).body).toEqual({ revision: 1 });
  expect((await server.ask("/readyz")).body).toMatchObject({ routes: 100_000 });
  expect((await server.ask("/v1/routes?key=pr-99999")).body.routes).toMatchObject([{ id: "r-99999" }]);
});

test("somebody who watches and does not read is cut off, and holds nobody up", async () => {
  const server = await startChild(database());
  const watch = await open(server.url, "GET /v1/watch HTTP/1.1\r\nhost: a\r\n\r\n");
  watch.pause();
  const large = (round: number) => ({
    set: Array.from({ length: 2000 }, (_, at) => ({
      id: `r-${at}`,
      ...reviews,
      key: `k-${at}`,
      owner: `${round}`.padEnd(200, "o"),
    })),
  });
  for (let round = 0; round < 60; round++) {
    expect((await server.ask("/v1/routes:apply", sent("POST", large(round)))).status).toBe(200);
  }
  // Its connection holds some megabytes at most, and the log of changes is bounded: once it reads, it finds the end.
  let last = "";
  watch.on("data", (piece) => {
    last = `${last}${piece}`.slice(-10);
  });
  watch.resume();
  await expect.poll(() => last, { timeout: 20_000 }).toMatch(/\r\n0\r\n\r\n$/);
});
