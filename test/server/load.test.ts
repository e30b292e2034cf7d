// What others do to a server does not stop it from answering.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
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
  await expect.poll(() => extra.closed).toBe(true);
  for (const socket of sockets) socket.destroy();
  await expect.poll(async () => (await server.ask("/healthz").catch(() => undefined))?.status).toBe(200);
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

/** The text of a transaction of so many routes, in pieces. */
function* transaction(
  count: number,
  routeOf = (at: number): object => ({ id: `r-${at}`, service: "reviews:9080", key: `pr-${at}`, to: `t-${at}` }),
) {
  const encoder = new TextEncoder();
  yield encoder.encode('{"set": [');
  for (let at = 0; at < count; at += 500) {
    const some = Array.from({ length: Math.min(500, count - at) }, (_, one) => JSON.stringify(routeOf(at + one)));
    yield encoder.encode(`${at === 0 ? "" : ","}${some.join()}`);
  }
  yield encoder.encode("]}");
}

const streamed = (pieces: Iterable<Uint8Array>): RequestInit =>
  ({ method: "POST", body: Readable.toWeb(Readable.from(pieces)), duplex: "half" }) as RequestInit;

test("a transaction of many routes happens as a whole, and others are served all the while", async () => {
  const server = await startChild(database());
  await server.ask("/v1/routes/before", sent("PUT", reviews));
  const count = 60_000;
  const seen = new Set<number>();
  let isOver = false;
  const reads = (async () => {
    while (!isOver) {
      seen.add((await server.ask("/readyz")).body.routes);
      expect((await server.ask("/v1/routes/before")).status).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  expect((await server.ask("/v1/routes:apply", streamed(transaction(count)))).body).toEqual({ revision: 2 });
  expect((await server.ask(`/v1/routes/r-${count - 1}`)).body).toMatchObject({ revision: 2 });
  isOver = true;
  await reads;
  expect([...seen].sort((a, b) => a - b).filter((routes) => routes !== 1)).toEqual(
    [...seen].includes(count + 1) ? [count + 1] : [],
  );
});

test("a transaction is refused at its first hundred mistakes, before the rest of it has come", async () => {
  const server = await startChild(database());
  let sentSoFar = 0;
  function* endless() {
    let pieces = 0;
    const some = { id: "a", service: "reviews", to: "t" };
    for (const piece of transaction(10_000, (at) => ({
      ...some,
      id: `r-${at}`,
      key: at < 200 ? `k-${at}` : "no key",
    }))) {
      if (++pieces > 20) break;
      yield piece;
    }
    // As much as nobody would send to be refused, but not more than the memory holds where nobody takes it.
    while (sentSoFar < 10_000) {
      sentSoFar++;
      yield new TextEncoder().encode(" ".repeat(10_000));
    }
  }
  const refused = await server.ask("/v1/routes:apply", streamed(endless()));
  expect(refused.status).toBe(400);
  expect(refused.body.error.message).toMatch(/^the transaction can't be used: set\[200\]\.key: .*, and 99 more$/);
  expect(refused.body.error.details).toHaveLength(100);
  expect(sentSoFar).toBeLessThan(10_000);
  expect((await server.ask("/v1/routes")).body).toEqual({ routes: [], revision: 0 });
});

test.for([
  [
    "mistakes in it",
    400,
    [...transaction(1000, (at) => ({ id: `r-${at}`, service: "reviews", key: "no key", to: "t" }))],
  ],
  ["more bytes than allowed", 413, [new Uint8Array(2 ** 20 + 1).fill(32)]],
] as const)("who sends all of a transaction before reading is told of %s", async ([, status, start]) => {
  const server = await startChild(database(), { flags: ["--max-body", "1Mi"] });
  const head = "POST /v1/routes:apply HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
  const socket = await open(server.url, head);
  socket.pause();
  const send = (bytes: Uint8Array) => {
    socket.write(`${bytes.length.toString(16)}\r\n`);
    socket.write(bytes);
    socket.write("\r\n");
  };
  for (const piece of start) send(piece);
  for (let at = 0; at < 20; at++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    send(new Uint8Array(1000).fill(32));
  }
  let answer = "";
  socket.on("data", (piece) => {
    answer += piece;
  });
  socket.resume();
  await expect.poll(() => answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  await expect.poll(() => answer.split("\r\n\r\n")[1] ?? "").toContain('"error"');
});

test("more routes than allowed, or more bytes, are refused with the limit, and nothing of them is kept", async () => {
  const server = await startChild(database(), { flags: ["--max-routes", "1000", "--max-body", "1Mi"] });
  expect(await server.ask("/v1/routes:apply", streamed(transaction(1001)))).toMatchObject({
    status: 413,
    body: {
      error: {
        code: "too_large",
        message: "more than 1000 routes (--max-routes) in one transaction; send them in several",
        details: [{ path: "set[1000]" }],
      },
    },
  });
  const large = transaction(1000, (at) => ({
    id: `r-${at}`,
    ...reviews,
    key: `k-${at}`,
    labels: { a: "b".repeat(60), c: "d".repeat(1000).slice(0, 60) },
    owner: "o".repeat(250),
    when: [{ header: "a", exact: "x".repeat(1000) }],
  }));
  expect(await server.ask("/v1/routes:apply", streamed(large))).toMatchObject({
    status: 413,
    body: { error: { code: "too_large", message: expect.stringContaining("1048576 bytes (--max-body)") } },
  });
  expect((await server.ask("/v1/routes")).body).toEqual({ routes: [], revision: 0 });
  expect((await server.ask("/v1/routes:apply", streamed(transaction(1000)))).body).toEqual({ revision: 1 });
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
