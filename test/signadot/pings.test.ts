// Clients ask whether the server is still there while nothing happens, as Signadot's newest SDK does. Servers of other make end the connection
// of whoever asks often: "too_many_pings".
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { expect, onTestFinished, test } from "vitest";
import { sent, startServer } from "../api/serve.ts";
import { addressesOf } from "./address.ts";

const PINGS = 300;

async function open() {
  const served = await startServer({ signadotGrpc: "127.0.0.1:0", signadotRest: "127.0.0.1:0" });
  const session = connect(`http://${addressesOf(served).grpc}`);
  onTestFinished(() => session.destroy());
  const ends: unknown[] = [];
  for (const event of ["goaway", "close", "error"] as const) session.on(event, (code) => ends.push([event, code]));
  await once(session, "connect");
  return { served, session, ends };
}

const ping = (session: ClientHttp2Session) =>
  new Promise<void>((resolve, reject) => session.ping((error) => (error ? reject(error) : resolve())));

/** Asks many times as soon as there is an answer. */
async function pings(session: ClientHttp2Session): Promise<void> {
  for (let at = 0; at < PINGS; at++) await ping(session);
}

test("a watch on which nothing happens stays open under pings, and goes on", async () => {
  const { served, session, ends } = await open();
  const watch = session.request({
    ":method": "POST",
    ":path": "/routes.Routes/WatchWorkloadRoutingRules",
    "content-type": "application/grpc",
    te: "trailers",
  });
  let bytes = 0;
  watch.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  // An empty message: every rule there is.
  watch.end(Buffer.alloc(5));
  await expect.poll(() => bytes).toBeGreaterThan(0);
  await pings(session);
  const before = bytes;
  const workload = { kind: "Deployment", namespace: "demo", name: "reviews", port: 9080 };
  const route = { service: "reviews", key: "pr-1", to: "reviews-pr-1", workload };
  expect((await served.ask("/v1/routes/pr-1", sent("PUT", route))).status).toBe(201);
  await expect.poll(() => bytes).toBeGreaterThan(before);
  expect([ends, watch.closed]).toEqual([[], false]);
});

test("a connection without any call stays open under pings", async () => {
  const { session, ends } = await open();
  await pings(session);
  expect(ends).toEqual([]);
});
