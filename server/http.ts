// Node's HTTP server around the API, with the limits that keep slow and greedy clients from others.
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Server as NetServer, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { KeywayError, reason } from "../shared/errors.ts";
import type { Address } from "./address.ts";
import { ApiError, type ErrorStatus, errorBody } from "./api/errors.ts";

export interface Limits {
  /** Milliseconds for a request's headers. */
  headersMs: number;
  /** Milliseconds for a whole request with its body, and for what is done with the body while it comes. */
  requestMs: number;
  /** Milliseconds for which an idle connection is kept. */
  idleMs: number;
  /** Bytes of all headers. */
  headerBytes: number;
  connections: number;
}

export const LIMITS: Omit<Limits, "connections"> = {
  headersMs: 10_000,
  requestMs: 900_000,
  idleMs: 75_000,
  headerBytes: 16_384,
};

/** Milliseconds for the rest of a request that is answered: without a byte of it, and in all. */
const LINGER = { idleMs: 5000, allMs: 30_000 };

type Fetch = Parameters<typeof getRequestListener>[0];

/** How an error is written. */
export interface ErrorForm {
  type: string;
  body(error: ApiError): string;
}

const JSON_ERRORS: ErrorForm = {
  type: "application/json",
  body: (error) => JSON.stringify(errorBody(error, false)),
};

/** Takes a request that it answers itself, and says whether it has taken it. */
type Direct = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;

export interface HttpOptions {
  /** That of errors which `fetch` does not get to see. */
  form?: ErrorForm;
  /** What takes requests past `fetch`. */
  direct?: Direct;
}

export function createHttpServer(fetch: Fetch, limits: Limits, options: HttpOptions = {}): Server {
  const { form = JSON_ERRORS, direct = () => false } = options;
  const listener = getRequestListener(fetch, {
    // Half a second, as the listener allows, is too short for a client that first sends all and then reads.
    autoCleanupIncoming: false,
    // What can't be made a request, by its host or its path.
    errorHandler: () => {
      const error = new ApiError(400, "the request's host or path can't be used");
      return new Response(form.body(error), { status: error.status, headers: { "content-type": form.type } });
    },
  });
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
      maxHeaderSize: limits.headerBytes,
      connectionsCheckingInterval: Math.min(5000, limits.headersMs / 2),
      noDelay: true,
    },
    (request: IncomingMessage, response: ServerResponse) => {
      if (direct(request, response)) return;
      response.once("finish", () => discardRest(request));
      listener(request, response);
    },
  );
  server.maxConnections = limits.connections;
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => refuse(error, socket, form));
  return server;
}

/**
 * What still comes of a request after its answer. A connection that is closed while bytes of the client are unread is reset, and a
 * client that is reset while it sends never reads its answer. So they are read for a while, and come to nobody.
 */
function discardRest(request: IncomingMessage): void {
  if (request.complete) return;
  const close = () => request.socket.destroySoon();
  const idle = setTimeout(close, LINGER.idleMs);
  const all = setTimeout(close, LINGER.allMs);
  request.on("data", () => idle.refresh());
  request.once("close", () => {
    clearTimeout(idle);
    clearTimeout(all);
  });
  request.resume();
}

/** What is no HTTP, too large, or too slow is answered in the form of all errors, and its connection closed. */
function refuse(error: NodeJS.ErrnoException, socket: Socket, form: ErrorForm): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [status, message] = CLIENT_ERRORS[error.code ?? ""] ?? [400, "this is no HTTP request"];
  const body = form.body(new ApiError(status, message));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `content-type: ${form.type}`,
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

const CLIENT_ERRORS: Record<string, [ErrorStatus, string]> = {
  HPE_HEADER_OVERFLOW: [431, `the headers are larger than ${LIMITS.headerBytes} bytes`],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "the request did not come in time"],
};

/** Listens; throws a KeywayError where that can't be. `flag` is the one that says where. */
export function listen(server: NetServer, { host, port }: Address, flag = "--listen"): Promise<Address> {
  return new Promise((resolve, reject) => {
    const where = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const isUsed = cause.code === "EADDRINUSE";
      reject(
        new KeywayError(
          isUsed ? `something listens on ${where} already` : `can't listen on ${where}: ${reason(cause)}`,
          {
            next: isUsed
              ? `end it, or choose another port with ${flag} HOST:PORT`
              : `choose another address with ${flag} HOST:PORT`,
            cause,
          },
        ),
      );
    });
    server.listen({ host, port, backlog: 4096 }, () => {
      const address = server.address();
      resolve({ host, port: typeof address === "object" && address !== null ? address.port : port });
    });
  });
}

/** Takes no more connections, and resolves once those under way are answered, or `limitMs` is over. */
export async function end(server: Server, limitMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  // A connection that becomes idle later is closed by then, too.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  const late = setTimeout(() => server.closeAllConnections(), limitMs);
  await closed;
  clearInterval(idle);
  clearTimeout(late);
}
