// Requests made from inside a pod, over a dialled connection.
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http";
import { connect } from "node:http2";
import type { Socket } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { grpcMessage, PREFIX } from "./echo.ts";

export type Call = {
  /** As in a URL's authority; also the Host header. */
  host: string;
  path?: string;
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer;
};

export type Answer = {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** The application that answered, if it was one of the bed's. */
  app: string | undefined;
};

export function http(socket: Socket, { host, path = "/", method = "GET", headers = {}, body }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { path, method, headers: { host, connection: "close", ...headers } };
    const sent = httpRequest({ ...options, createConnection: () => socket }, async (response) => {
      try {
        const received = await text(response);
        const app = response.headers["x-app"] as string | undefined;
        resolve({ status: response.statusCode as number, headers: response.headers, body: received, app });
      } catch (error) {
        reject(error);
      }
    });
    sent.on("error", reject).end(body);
  });
}

/** Asks for a tunnel to `host`; with status 200 the socket leads through it. */
export function tunnel(
  socket: Socket,
  { host, headers = {} }: Pick<Call, "host" | "headers">,
): Promise<{ status: number; socket: Socket }> {
  return new Promise((resolve, reject) => {
    const options = { method: "CONNECT", path: host, headers: { host, ...headers } };
    httpRequest({ ...options, createConnection: () => socket })
      .on("connect", ({ statusCode }) => resolve({ status: statusCode as number, socket }))
      .on("error", reject)
      .end();
  });
}

export type GrpcAnswer = { status: number; grpcStatus: string; app: string | undefined; messages: string[] };

/** Sends the messages over one gRPC stream and takes all the answers. */
export async function grpc(
  socket: Socket,
  call: Omit<Call, "method" | "body">,
  messages: string[],
): Promise<GrpcAnswer> {
  const session = connect(`http://${call.host}`, { createConnection: () => socket });
  const failed = new Promise<never>((_, reject) => session.on("error", reject));
  try {
    return await Promise.race([stream(session, call, messages), failed]);
  } finally {
    session.destroy();
  }
}

async function stream(
  session: ReturnType<typeof connect>,
  { path = "/bed.Echo/Say", headers = {} }: Omit<Call, "method" | "body">,
  messages: string[],
): Promise<GrpcAnswer> {
  const sent = session.request({
    ...headers,
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  let head: Record<string, unknown> = {};
  let trailers: Record<string, unknown> = {};
  sent.on("response", (fields) => (head = fields)).on("trailers", (fields) => (trailers = fields));
  for (const message of messages) sent.write(grpcMessage(Buffer.from(message)));
  sent.end();
  const received = await buffer(sent);
  return {
    status: Number(head[":status"]),
    grpcStatus: `${trailers["grpc-status"] ?? head["grpc-status"]}`,
    app: head["x-app"] as string | undefined,
    messages: split(received),
  };
}

function split(received: Buffer): string[] {
  const messages: string[] = [];
  for (let at = 0; at < received.length; ) {
    const end = at + PREFIX + received.readUInt32BE(at + 1);
    messages.push(received.toString("utf8", at + PREFIX, end));
    at = end;
  }
  return messages;
}
