// Services that speak more than one request and one answer; each names itself.
import { createHash } from "node:crypto";
import { createServer, type Server, type ServerResponse } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { Server as GrpcServer, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js";
import { WebSocketServer } from "ws";
import { listen } from "./app.ts";

export type Service = { name: string; port: number; stop: () => Promise<void> };

/** HTTP/1.1: WebSocket at any path, server-sent events, and bodies of any size. */
export async function web(name: string): Promise<Service & { send: (event: string) => void }> {
  const listeners = new Set<ServerResponse>();
  const server = createServer(async (request, response) => {
    response.setHeader("x-service", name);
    if (request.url === "/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: hello from ${name}\n\n`);
      listeners.add(response.on("close", () => listeners.delete(response)));
      return;
    }
    const digest = createHash("sha256");
    for await (const chunk of request) digest.update(chunk);
    response.setHeader("x-digest", digest.digest("hex"));
    response.end(payload(Number(new URL(request.url ?? "/", "http://a").searchParams.get("bytes"))));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => {
    socket.send(`hello from ${name}`);
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  const service = await listening(name, server);
  const send = (event: string) => {
    for (const response of listeners) response.write(`data: ${event}\n\n`);
  };
  return { ...service, send };
}

/** The same bytes for the same length, so that both ends can compare. */
export function payload(bytes: number): Buffer {
  return Buffer.alloc(bytes, "0123456789abcdef");
}

/** HTTP/2: answers with the request's trailers in the body, and with trailers of its own. */
export async function trailing(name: string): Promise<Service> {
  const server = createHttp2Server();
  server.on("stream", (stream, { ":method": method }) => {
    // The filter asks after a target before it is first used; an answer to HEAD has neither body nor trailers.
    if (method === "HEAD") return stream.respond({ ":status": 200 }, { endStream: true });
    let trailers: object = {};
    stream
      .on("trailers", (received) => (trailers = received))
      .on("end", () => {
        stream.respond({ ":status": 200, "x-service": name }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "x-trailer": `from ${name}` }));
        stream.end(JSON.stringify(trailers));
      });
    stream.resume();
  });
  return await listening(name, server as unknown as Server);
}

const plain = { serialize: (text: string) => Buffer.from(text), deserialize: (bytes: Buffer) => bytes.toString() };
const method = (path: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/demo.Reviews/${path}`,
  requestStream,
  responseStream,
  requestSerialize: plain.serialize,
  requestDeserialize: plain.deserialize,
  responseSerialize: plain.serialize,
  responseDeserialize: plain.deserialize,
});

/** All four kinds of gRPC call, with messages of plain text. */
export const REVIEWS = {
  unary: method("Unary", false, false),
  serverStream: method("ServerStream", false, true),
  clientStream: method("ClientStream", true, false),
  both: method("Both", true, true),
  failing: method("Failing", false, false),
} satisfies ServiceDefinition;

export async function grpc(name: string): Promise<Service> {
  const server = new GrpcServer();
  server.addService(REVIEWS, {
    unary: (call: { request: string }, answer: (error: null, text: string) => void) =>
      answer(null, `${name}: ${call.request}`),
    serverStream: (call: { request: string; write: (text: string) => void; end: () => void }) => {
      for (let i = 1; i <= 3; i++) call.write(`${name}: ${call.request} ${i}`);
      call.end();
    },
    clientStream: async (call: AsyncIterable<string>, answer: (error: null, text: string) => void) => {
      const parts: string[] = [];
      for await (const part of call) parts.push(part);
      answer(null, `${name}: ${parts.join(" ")}`);
    },
    both: async (call: AsyncIterable<string> & { write: (text: string) => void; end: () => void }) => {
      for await (const part of call) call.write(`${name}: ${part}`);
      call.end();
    },
    failing: (_: unknown, answer: (error: object) => void) =>
      answer({ code: 5, details: `${name} has no such review` }),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return { name, port, stop: async () => server.forceShutdown() };
}

async function listening(name: string, server: Server): Promise<Service> {
  return { name, ...(await listen(server)) };
}
