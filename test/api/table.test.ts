// Polls by HTTP, which take a path of their own: what holds of all requests holds of them.
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { LAYOUT } from "../../routes/model/feed.ts";
import { ReferenceClient } from "../feed/reference-client.ts";
import { reviews, type Served, sent, startServer } from "./serve.ts";

const FRESH = `/v1/table?layout=${LAYOUT}`;

const counted = async ({ ask }: Served, status: number) => {
  const { body } = await ask("/metrics");
  const line = `keyway_server_requests_total{endpoint="/v1/table",method="GET",status="${status}"} `;
  return Number(
    body
      .split("\n")
      .find((one: string) => one.startsWith(line))
      ?.slice(line.length) ?? 0,
  );
};
const waiting = async ({ ask }: Served) => /^keyway_server_polls (\d+)$/m.exec((await ask("/metrics")).body)?.[1];

/** What a poll asks for that is held. */
async function held({ url }: Served): Promise<string> {
  const client = new ReferenceClient();
  while (!client.isConsistent) {
    const answer = await fetch(`${url}/v1/table?${client.query(0)}`);
    client.apply(new Uint8Array(await answer.arrayBuffer()));
  }
  return `/v1/table?${client.query(20)}`;
}

/** A connection that what is sent by it goes over as it is. */
async function connection({ url }: Served) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  let received = "";
  socket.on("data", (bytes) => {
    received += bytes.toString("latin1");
  });
  return {
    socket,
    get: (...paths: string[]) =>
      socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: keyway\r\n\r\n`).join("")),
    statuses: () => [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status)),
  };
}

test("a poll is counted by what it was answered, once it is", async () => {
  const server = await startServer();
  expect((await server.ask(FRESH)).status).toBe(200);
  expect((await server.ask("/v1/table?layout=1")).status).toBe(400);
  expect((await server.ask(FRESH, { headers: { origin: "https://example.com" } })).status).toBe(403);
  for (const status of [200, 400, 403]) expect([status, await counted(server, status)]).toEqual([status, 1]);
  const asked = fetch(server.url + (await held(server)));
  await expect.poll(() => waiting(server)).toBe("1");
  const before = await counted(server, 200);
  await server.ask("/v1/routes/a", sent("PUT", reviews));
  expect((await asked).status).toBe(200);
  expect(await counted(server, 200)).toBe(before + 1);
});

test("errors of polls come in the form that is asked for, as those of all requests do", async () => {
  const { ask } = await startServer();
  const headers = { accept: "application/problem+json", origin: "https://example.com" };
  const [poll, other] = [await ask(FRESH, { headers }), await ask("/v1/routes", { headers })];
  expect(poll.headers.get("content-type")).toBe("application/problem+json");
  expect(poll).toMatchObject({ status: 403, body: other.body });
});

test.each([
  ["HEAD", {}, 200],
  ["HEAD", { "content-length": "2" }, 200],
  ["GET", { "content-length": "2" }, 200],
  ["POST", {}, 405],
])("%s /v1/table with headers %j is answered with %i", async (method, headers, status) => {
  const server = await startServer();
  const { socket, statuses } = await connection(server);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${method} ${FRESH} HTTP/1.1\r\nhost: keyway\r\n${lines.join("")}\r\n${lines.length > 0 ? "{}" : ""}`);
  await expect.poll(statuses).toEqual([status]);
  expect((await server.ask("/healthz")).status).toBe(200);
});

test("polls that come by one connection at once are answered in their order", async () => {
  const server = await startServer();
  const query = await held(server);
  const { get, statuses } = await connection(server);
  get(query, "/v1/table?layout=1", query);
  await expect.poll(() => waiting(server)).toBe("2");
  expect(statuses()).toEqual([]);
  await server.ask("/v1/routes/a", sent("PUT", reviews));
  await expect.poll(statuses).toEqual([200, 400, 200]);
});

test("the polls of a connection that is closed are over, and nobody else's", async () => {
  const server = await startServer();
  const query = await held(server);
  const [leaves, stays] = [await connection(server), await connection(server)];
  leaves.get(query, query);
  stays.get(query);
  await expect.poll(() => waiting(server)).toBe("3");
  leaves.socket.destroy();
  await expect.poll(() => waiting(server)).toBe("1");
  await server.ask("/v1/routes/a", sent("PUT", reviews));
  await expect.poll(stays.statuses).toEqual([200]);
  await sleep(50);
  expect(await waiting(server)).toBe("0");
});
