import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Answer, Feed } from "../feed/feed.ts";
import { type Endpoint, errors } from "./endpoint.ts";
import { endWith } from "./ends.ts";
import { ApiError, errorBody, toApiError } from "./errors.ts";
import { TableQuery } from "./schemas.ts";

export const tableEndpoint: Endpoint = {
  path: "/v1/table",
  method: "get",
  role: "proxy",
  documentation: {
    operationId: "getTable",
    summary: "For proxies: the compiled table of a scope, in pages; waits for a change where there is none",
    request: { query: TableQuery },
    responses: {
      200: {
        description: "a page",
        content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
      },
      ...errors(400, 401, 403),
    },
  },
  handle(request, { feed, log }) {
    const { outgoing } = request.env;
    const { revoked, name } = request.get("principal");
    const left = new AbortController();
    const stay = endWith(revoked, () => left.abort(new ApiError(401, `the token of ${name} was revoked`)));
    outgoing.once("close", () => {
      stay();
      if (!outgoing.writableFinished) left.abort();
    });
    const address = addressOf(outgoing.socket, feed);
    // Written past Hono: thousands of polls wait at one time, and many of them share the bytes of an answer.
    feed.poll(new URL(request.req.url).searchParams, left.signal, address).then(
      (answer) => write(outgoing, answer),
      (thrown) => {
        if (outgoing.destroyed) return;
        const error = toApiError(thrown);
        if (error.status === 500) log.error({ err: thrown, path: "/v1/table" }, error.message);
        const body = new TextEncoder().encode(JSON.stringify(errorBody(error, false)));
        write(outgoing, { status: error.status, type: "application/json", body, headers: { ...error.headers } });
      },
    );
    return RESPONSE_ALREADY_SENT;
  },
};

const known = new WeakSet<Socket>();

/** The address of a connection, `HOST:PORT`; the feed is told once it is closed. */
function addressOf(socket: Socket | null, feed: Feed): string | undefined {
  if (!socket?.remoteAddress) return undefined;
  const host = socket.remoteAddress.replace(/^::ffff:(?=\d+\.)/, "");
  const address = `${host.includes(":") ? `[${host}]` : host}:${socket.remotePort}`;
  if (!known.has(socket)) socket.once("close", () => feed.left(address));
  known.add(socket);
  return address;
}

type Written = Answer | { status: number; type: string; body: Uint8Array; headers: Record<string, string> };

function write(outgoing: ServerResponse, answer: Written): void {
  const { status, type, body } = answer;
  const headers = "headers" in answer ? answer.headers : { "cache-control": "no-store" };
  outgoing.writeHead(status, { ...headers, "content-type": type, "content-length": body.length });
  outgoing.end(body);
}
