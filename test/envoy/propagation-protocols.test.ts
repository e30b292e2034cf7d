// A key follows its trace over every protocol that Envoy carries, on the way in and on the way out. The applications here hand on the id of
// the trace and nothing else.
import { once } from "node:events";
import { createServer } from "node:http";
import {
  Client,
  credentials,
  Server as GrpcServer,
  Metadata,
  ServerCredentials,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket, { WebSocketServer } from "ws";
import { manager } from "../../scripts/proxy/bootstrap.ts";
import { type App, app, appOverHttp2, listen } from "./bed/app.ts";
import type { Bed } from "./bed/bed.ts";
import { cluster, http2 } from "./bed/bootstrap.ts";
import { portOut, startBothWays } from "./bed/both-ways.ts";
import { ask } from "./bed/client.ts";
import { h2 } from "./bed/h2.ts";
import { grpc, REVIEWS, type Service, web } from "./bed/services.ts";
import { messagesOf } from "./bed/sockets.ts";
import { newTrace } from "./bed/traces.ts";

const NEXT = ["next", "next-pr-1", "next-pr-2"];
const KEYS = ["pr-1", "pr-2", undefined] as const;
type Key = (typeof KEYS)[number];

const serviceOf = (key: Key) => (key === undefined ? "next" : `next-${key}`);
const headersOf = (key: Key, traceparent = newTrace()) => ({ traceparent, ...(key && { "x-routing-key": key }) });

/** Envoy on both ways of the application, with these services behind it. */
function start(application: App, services: readonly Service[], overHttp2: boolean): Promise<Bed> {
  const known = { keys: ["header:x-routing-key", "trace"] };
  const routes = ["pr-1", "pr-2"].map((key) => ({ from: "next", key, to: serviceOf(key as Key) }));
  return startBothWays({
    app: application.port,
    inbound: known,
    outbound: { ...known, routes },
    targets: [],
    change: ({ static_resources }) => {
      const all = [...services, { name: "app", port: application.port }];
      const made = all.map(({ name, port }) => cluster(name, port));
      static_resources.clusters = overHttp2 ? made.map(http2) : made;
      for (const listener of static_resources.listeners)
        manager(listener).http2_protocol_options = { allow_connect: true };
    },
  });
}

describe("gRPC", () => {
  let bed: Bed;
  let client: Client;
  let out: Client;
  const services: Service[] = [];
  const server = new GrpcServer();
  const plain = ({ path, requestSerialize, responseDeserialize }: (typeof REVIEWS)["unary"]) =>
    [path, requestSerialize, responseDeserialize] as const;

  type Call = { request: string; metadata: Metadata };
  type Stream = AsyncIterable<string> & { metadata: Metadata; write: (text: string) => void; end: () => void };
  type Answer = (error: Error | null, text?: string) => void;

  /** Of all metadata the application keeps the trace. */
  function traceOf({ metadata }: { metadata: Metadata }): Metadata {
    const kept = new Metadata();
    for (const value of metadata.get("traceparent")) kept.set("traceparent", value);
    return kept;
  }
  const unary = (from: Client, text: string, metadata: Metadata) =>
    new Promise<string>((resolve, reject) =>
      from.makeUnaryRequest(...plain(REVIEWS.unary), text, metadata, (error, value) =>
        error ? reject(error) : resolve(value as string),
      ),
    );

  beforeAll(async () => {
    const implementation = {
      unary: (call: Call, answer: Answer) =>
        void unary(out, call.request, traceOf(call)).then((text) => answer(null, text), answer),
      serverStream: async (call: Call & Stream) => {
        for await (const text of out.makeServerStreamRequest(
          ...plain(REVIEWS.serverStream),
          call.request,
          traceOf(call),
        ))
          call.write(text);
        call.end();
      },
      clientStream: async (call: Stream, answer: Answer) => {
        const sent = out.makeClientStreamRequest(...plain(REVIEWS.clientStream), traceOf(call), (error, text) =>
          answer(error, text as string),
        );
        for await (const text of call) sent.write(text);
        sent.end();
      },
      both: async (call: Stream) => {
        for await (const text of call) call.write(await unary(out, text, traceOf(call)));
        call.end();
      },
      failing: (call: Call, answer: Answer) =>
        out.makeUnaryRequest(...plain(REVIEWS.failing), call.request, traceOf(call), (error) => answer(error)),
    };
    server.addService(REVIEWS, implementation as unknown as UntypedServiceImplementation);
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    services.push(...(await Promise.all(NEXT.map(grpc))));
    bed = await start({ port, stop: async () => server.forceShutdown() }, services, true);
    client = new Client(`127.0.0.1:${bed.port}`, credentials.createInsecure());
    out = new Client(`127.0.0.1:${portOut(bed)}`, credentials.createInsecure());
  });
  afterAll(async () => {
    client.close();
    out.close();
    await bed.stop();
    server.forceShutdown();
    await Promise.all(services.map((service) => service.stop()));
  });

  const metadataOf = (key: Key): Metadata => {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headersOf(key))) metadata.set(name, value);
    return metadata;
  };

  test.each(KEYS)("all four kinds of call with key %s", async (key) => {
    const service = serviceOf(key);
    expect(await unary(client, "one", metadataOf(key))).toBe(`${service}: one`);
    const answers = client.makeServerStreamRequest(...plain(REVIEWS.serverStream), "one", metadataOf(key));
    expect(await answers.toArray()).toEqual([1, 2, 3].map((i) => `${service}: one ${i}`));
    const parts = new Promise((resolve, reject) => {
      const call = client.makeClientStreamRequest(...plain(REVIEWS.clientStream), metadataOf(key), (error, text) =>
        error ? reject(error) : resolve(text),
      );
      for (const part of ["a", "b"]) call.write(part);
      call.end();
    });
    expect(await parts).toBe(`${service}: a b`);
    const call = client.makeBidiStreamRequest(...plain(REVIEWS.both), metadataOf(key));
    const messages = call[Symbol.asyncIterator]();
    for (const part of ["a", "b", "c"]) {
      call.write(part);
      expect((await messages.next()).value).toBe(`${service}: ${part}`);
    }
    call.end();
    expect((await messages.next()).done).toBe(true);
    const failure = new Promise((resolve) =>
      client.makeUnaryRequest(...plain(REVIEWS.failing), "x", metadataOf(key), resolve),
    );
    expect(await failure).toMatchObject({ code: 5, details: `${service} has no such review` });
  });

  test("a hundred streams at once on one connection, each with its own key", async () => {
    const one = async (i: number) => {
      const key = KEYS[i % 3];
      const call = client.makeBidiStreamRequest(...plain(REVIEWS.both), metadataOf(key));
      const messages = call[Symbol.asyncIterator]();
      for (const part of ["a", "b"]) {
        call.write(part);
        expect((await messages.next()).value).toBe(`${serviceOf(key)}: ${part}`);
      }
      call.end();
      expect((await messages.next()).done).toBe(true);
    };
    await Promise.all(Array.from({ length: 100 }, (_, i) => one(i)));
  });
});

describe("WebSocket", () => {
  let bed: Bed;
  let application: App;
  const services: Service[] = [];

  beforeAll(async () => {
    const server = createServer();
    new WebSocketServer({ server }).on("connection", (socket, { headers }) => {
      const trace = { traceparent: String(headers.traceparent) };
      socket.on("message", async (data) => {
        if (data.toString() === "call") {
          const answer = await ask(portOut(bed), { headers: trace });
          socket.send(answer.headers["x-service"] as string);
        } else {
          const next = new WebSocket(`ws://127.0.0.1:${portOut(bed)}/`, { headers: trace });
          socket.send(await messagesOf(next)());
          next.close();
        }
      });
    });
    application = await listen(server);
    services.push(...(await Promise.all(NEXT.map(web))));
    bed = await start(application, services, false);
  });
  afterAll(async () => {
    await bed.stop();
    await application.stop();
    await Promise.all(services.map((service) => service.stop()));
  });

  test.each(KEYS)("over HTTP/2, by an extended CONNECT with key %s", async (key) => {
    const { session, close } = h2(bed.port);
    await once(session, "remoteSettings");
    const socket = session.request({
      ...{ ":method": "CONNECT", ":protocol": "websocket", ":path": "/", ":scheme": "http", ":authority": "app" },
      ...{ ...headersOf(key), "sec-websocket-version": "13", "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==" },
    });
    // A client's frame with the text "call": its end, its length, a mask of zeros.
    socket.write(Buffer.concat([Buffer.from([0x81, 0x84, 0, 0, 0, 0]), Buffer.from("call")]));
    const [frame] = await once(socket, "data");
    expect(frame.subarray(2).toString()).toBe(serviceOf(key));
    close();
  });

  test.each(KEYS)(
    "an upgrade with key %s: what the socket asks for goes there, by calls and by another upgrade",
    async (key) => {
      const socket = new WebSocket(`ws://127.0.0.1:${bed.port}/`, { headers: headersOf(key) });
      const messages = messagesOf(socket);
      await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
      for (let i = 0; i < 3; i++) {
        socket.send("call");
        expect((await messages()).toString()).toBe(serviceOf(key));
        socket.send("upgrade");
        expect((await messages()).toString()).toBe(`hello from ${serviceOf(key)}`);
      }
      socket.close();
    },
  );
});

describe.each([
  ["HTTP/1.1", false],
  ["HTTP/2", true],
])("services over %s", (_, overHttp2) => {
  let bed: Bed;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    const serve = overHttp2 ? appOverHttp2 : app;
    const services = await Promise.all(
      NEXT.map(async (name) => ({
        name,
        ...(await serve(async ({ headers }) => ({ service: name, key: headers["x-routing-key"] ?? null }))),
      })),
    );
    const application = await serve(async ({ headers }) => {
      const trace = { traceparent: String(headers.traceparent) };
      if (headers["x-out"] === "HTTP/1.1") return JSON.parse((await ask(portOut(bed), { headers: trace })).body);
      const connection = h2(portOut(bed));
      const { echo } = await connection.ask(trace);
      connection.close();
      return echo;
    });
    stops.push(application.stop, ...services.map(({ stop }) => stop));
    bed = await start(application, services, overHttp2);
  });
  afterAll(async () => {
    await bed.stop();
    await Promise.all(stops.map((stop) => stop()));
  });

  const VERSIONS = ["HTTP/1.1", "HTTP/2"];
  test.each(VERSIONS.flatMap((into) => VERSIONS.map((out) => [into, out])))(
    "in by %s, out by %s",
    async (into, out) => {
      for (const key of KEYS) {
        const headers = { ...headersOf(key), "x-out": out as string };
        const connection = h2(bed.port);
        const answer =
          into === "HTTP/2"
            ? (await connection.ask(headers)).echo
            : JSON.parse((await ask(bed.port, { headers })).body);
        connection.close();
        expect(answer).toEqual({ service: serviceOf(key), key: key ?? null });
      }
    },
  );
});
