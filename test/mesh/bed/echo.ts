// The application of a pod: tells who it is and what reached it, over HTTP/1.1, and over HTTP/2 without TLS, gRPC included.
import { createServer, type IncomingHttpHeaders } from "node:http";
import {
  createServer as createServer2,
  type IncomingHttpHeaders as Headers2,
  type ServerHttp2Stream,
} from "node:http2";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { APP_GRPC_PORT, APP_HTTP_PORT } from "./ports.ts";

export type Echo = {
  app: string;
  method: string;
  path: string;
  headers: IncomingHttpHeaders | Headers2;
  body: string;
  /** Which request with this `x-echo-id` it is, from 1; 0 without one. */
  attempt: number;
};

/** Over HTTP/1.1 a request can ask for trouble: `x-echo-delay: MILLISECONDS`; `x-echo-failures: N` with an `x-echo-id`, whose first N
 * requests are answered with 503. */
export function serveEcho(app: string): void {
  const attempts = new Map<string, number>();
  // Node's own 5 s would close connections just as the proxy sends a request on them, which then fails.
  createServer({ keepAliveTimeout: 0 }, async (request, response) => {
    const { method = "", url: path = "", headers } = request;
    const id = `${headers["x-echo-id"] ?? ""}`;
    const attempt = id === "" ? 0 : (attempts.get(id) ?? 0) + 1;
    if (attempt > 0) attempts.set(id, attempt);
    const echo: Echo = { app, method, path, headers, body: await text(request), attempt };
    await sleep(Number(headers["x-echo-delay"] ?? 0));
    response.statusCode = attempt > 0 && attempt <= Number(headers["x-echo-failures"] ?? 0) ? 503 : 200;
    response.setHeader("content-type", "application/json").setHeader("x-app", app).setHeader("x-path", path);
    response.setHeader("x-from-app", "1");
    response.end(JSON.stringify(echo));
  }).listen(APP_HTTP_PORT);
  createServer2()
    .on("stream", (stream, headers) => void answer(app, stream, headers).catch(() => stream.close()))
    .listen(APP_GRPC_PORT);
}

/** Any gRPC method: each message that comes in is answered by one message, the echo as JSON. */
async function answer(app: string, stream: ServerHttp2Stream, headers: Headers2): Promise<void> {
  const grpc = `${headers["content-type"]}`.startsWith("application/grpc");
  const echo = (body: string): Buffer => Buffer.from(JSON.stringify({ app, path: headers[":path"], headers, body }));
  stream.respond(
    { "content-type": grpc ? "application/grpc" : "application/json", "x-app": app },
    { waitForTrailers: grpc },
  );
  if (!grpc) return void stream.end(echo(await text(stream)));
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  let pending = Buffer.alloc(0);
  for await (const chunk of stream) {
    pending = Buffer.concat([pending, chunk as Buffer]);
    while (pending.length >= PREFIX && pending.length >= PREFIX + pending.readUInt32BE(1)) {
      const end = PREFIX + pending.readUInt32BE(1);
      stream.write(grpcMessage(echo(pending.toString("utf8", PREFIX, end))));
      pending = pending.subarray(end);
    }
  }
  stream.end();
}

/** Bytes before a gRPC message: one for compression, four for the length. */
export const PREFIX = 5;

export function grpcMessage(payload: Uint8Array): Buffer {
  const message = Buffer.alloc(PREFIX + payload.length);
  message.writeUInt32BE(payload.length, 1);
  message.set(payload, PREFIX);
  return message;
}
