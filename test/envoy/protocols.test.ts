// Every protocol that Envoy carries is routed whole: what is sent arrives, at the service that the key names.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { get, request } from "node:http";
import { createInterface } from "node:readline";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { type Bed, startBed } from "./bed/bed.ts";
import { cluster, http2 } from "./bed/bootstrap.ts";
import { h2 } from "./bed/h2.ts";
import { grpc, payload, REVIEWS, type Service, trailing, web } from "./bed/services.ts";
import { messagesOf } from "./bed/sockets.ts";

const MEGABYTES_50 = 50 * 1024 * 1024;

let bed: Bed;
const services: Service[] = [];
let webs: Awaited<ReturnType<typeof web>>[];

beforeAll(async () => {
  webs = [await web("web"), await web("web-pr-42")];
  const overHttp2 = [
    await grpc("grpc"),
    await grpc("grpc-pr-42"),
    await trailing("trailing"),
    await trailing("trailing-pr-42"),
  ];
  services.push(...webs, ...overHttp2);
  bed = await startBed({
    config: {
      routes: [
        ...["web", "grpc", "trailing"].map((from) => ({ from, key: "pr-42", to: `${from}-pr-42` })),
        ...Array.from({ length: 20 }, (_, i) => ({ from: "echo", key: `echo-${i}`, to: `echo-${i}` })),
      ],
    },
    baselines: { "/": "web", "/demo.Reviews": "grpc", "/trailing": "trailing", "/echo": "echo" },
    targets: Array.from({ length: 20 }, (_, i) => `echo-${i}`),
    concurrency: 4,
    change: ({ static_resources }) => {
      const own = new Set(services.map(({ name }) => name));
      const kept = static_resources.clusters.filter(({ name }) => !own.has(name));
      const http1 = webs.map(({ name, port }) => cluster(name, port));
      static_resources.clusters = [...kept, ...http1, ...overHttp2.map(({ name, port }) => http2(cluster(name, port)))];
    },
  });
});
afterAll(async () => {
  await bed.stop();
  await Promise.all(services.map((service) => service.stop()));
});

const WAYS: [what: string, headers: Record<string, string>, suffix: string][] = [
  ["without a key, at the baseline", {}, ""],
  ["with a key, at the target", { "x-routing-key": "pr-42" }, "-pr-42"],
];

test("HTTP/2: a hundred requests at once on one connection, each with its own key", async () => {
  const client = h2(bed.port);
  const keys = Array.from({ length: 100 }, (_, i) => `echo-${i % 20}`);
  const answers = await Promise.all(keys.map((key) => client.ask({ ":path": "/echo", "x-routing-key": key })));
  client.close();
  expect(answers.map(({ echo }) => echo?.service)).toEqual(keys);
});

test("HTTP/1.1 on many connections over four workers, each with its own key", async () => {
  const keys = Array.from({ length: 400 }, (_, i) => `echo-${i % 25}`);
  const answers = await Promise.all(keys.map((key) => bed.keyed(key, { path: "/echo" })));
  expect(answers.map(({ service }) => service)).toEqual(keys.map((key) => (Number(key.slice(5)) < 20 ? key : "echo")));
});

describe.each(WAYS)("%s", (_, headers, suffix) => {
  describe("gRPC", () => {
    let client: Client;
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    beforeAll(() => {
      client = new Client(`127.0.0.1:${bed.port}`, credentials.createInsecure());
    });
    afterAll(() => client.close());
    const codec = ({ path, requestSerialize, responseDeserialize }: (typeof REVIEWS)["unary"]) =>
      [path, requestSerialize, responseDeserialize] as const;

    test("unary", async () => {
      const answer = new Promise((resolve, reject) =>
        client.makeUnaryRequest(...codec(REVIEWS.unary), "one", metadata, (error, value) =>
          error ? reject(error) : resolve(value),
        ),
      );
      expect(await answer).toBe(`grpc${suffix}: one`);
    });

    test("a stream of answers", async () => {
      const call = client.makeServerStreamRequest(...codec(REVIEWS.serverStream), "one", metadata);
      expect(await call.toArray()).toEqual([1, 2, 3].map((i) => `grpc${suffix}: one ${i}`));
    });

    test("a stream of requests", async () => {
      const answer = new Promise((resolve, reject) => {
        const call = client.makeClientStreamRequest(...codec(REVIEWS.clientStream), metadata, (error, value) =>
          error ? reject(error) : resolve(value),
        );
        for (const part of ["a", "b", "c"]) call.write(part);
        call.end();
      });
      expect(await answer).toBe(`grpc${suffix}: a b c`);
    });

    test("streams both ways, one message answered before the next is sent", async () => {
      const call = client.makeBidiStreamRequest(...codec(REVIEWS.both), metadata);
      for (const part of ["a", "b", "c"]) {
        call.write(part);
        expect(await once(call, "data")).toEqual([`grpc${suffix}: ${part}`]);
      }
      call.end();
      await once(call.resume(), "end");
    });

    test("the service's own error arrives", async () => {
      const failure = new Promise((resolve) =>
        client.makeUnaryRequest(...codec(REVIEWS.failing), "x", metadata, resolve),
      );
      expect(await failure).toMatchObject({ code: 5, details: `grpc${suffix} has no such review` });
    });
  });

  test("WebSocket, text and binary", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${bed.port}/socket`, { headers });
    const messages = messagesOf(socket);
    expect((await messages()).toString()).toBe(`hello from web${suffix}`);
    socket.send("ping");
    expect((await messages()).toString()).toBe("ping");
    const binary = payload(1024 * 1024);
    socket.send(binary);
    expect((await messages()).equals(binary)).toBe(true);
    socket.close();
    await once(socket, "close");
  });

  test("server-sent events arrive one by one, while the answer is open", async () => {
    const asked = get({ host: "127.0.0.1", port: bed.port, path: "/events", headers, agent: false });
    const [response] = await once(asked, "response");
    const lines = createInterface({ input: response })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe(`data: hello from web${suffix}`);
    await lines.next();
    for (const event of ["first", "second"]) {
      for (const service of webs) service.send(`${event} from ${service.name}`);
      expect((await lines.next()).value).toBe(`data: ${event} from web${suffix}`);
      await lines.next();
    }
    asked.destroy();
  });

  test("50 MB bodies both ways", async () => {
    const sent = request({
      host: "127.0.0.1",
      port: bed.port,
      path: `/?bytes=${MEGABYTES_50}`,
      method: "POST",
      headers,
      agent: false,
    });
    sent.end(payload(MEGABYTES_50));
    const [response] = await once(sent, "response");
    const received = createHash("sha256");
    for await (const chunk of response) received.update(chunk);
    const whole = createHash("sha256").update(payload(MEGABYTES_50)).digest("hex");
    expect(response.headers["x-service"]).toBe(`web${suffix}`);
    expect(response.headers["x-digest"]).toBe(whole);
    expect(received.digest("hex")).toBe(whole);
  });

  test("trailers both ways", async () => {
    const client = h2(bed.port);
    const stream = client.session.request(
      { ":path": "/trailing", ":method": "POST", ...headers },
      { endStream: false, waitForTrailers: true },
    );
    let trailers: Record<string, unknown> = {};
    stream.on("trailers", (received) => {
      trailers = received;
    });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-from-client": "1" }));
    stream.end("body");
    const body = Buffer.concat(await stream.toArray()).toString();
    client.close();
    expect(JSON.parse(body)).toMatchObject({ "x-from-client": "1" });
    expect(trailers).toMatchObject({ "x-trailer": `from trailing${suffix}` });
  });

  test("100-continue: the body is sent after the go-ahead", async () => {
    const expecting = { ...headers, expect: "100-continue", "content-length": "4" };
    const sent = request({
      host: "127.0.0.1",
      port: bed.port,
      path: "/?bytes=0",
      method: "POST",
      headers: expecting,
      agent: false,
    });
    sent.flushHeaders();
    await once(sent, "continue");
    sent.end("body");
    const [response] = await once(sent, "response");
    response.resume();
    expect(response.headers["x-service"]).toBe(`web${suffix}`);
    expect(response.headers["x-digest"]).toBe(createHash("sha256").update("body").digest("hex"));
  });

  test("a HEAD request", async () => {
    const asked = request({ host: "127.0.0.1", port: bed.port, method: "HEAD", headers, agent: false }).end();
    const [response] = await once(asked, "response");
    response.resume();
    expect(response.headers["x-service"]).toBe(`web${suffix}`);
  });
});
