import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Principal } from "../auth/authenticator.ts";
import type { Answer, Asker, Feed } from "../feed/feed.ts";
import type { Poll } from "../feed/poll.ts";
import { admit } from "./admission.ts";
import type { Api } from "./context.ts";
import { type Endpoint, errors } from "./endpoint.ts";
import { type Ending, endWith, stay } from "./ends.ts";
import { ApiError, errorAnswer } from "./errors.ts";
import { errorOf, observe } from "./observed.ts";
import { TableQuery } from "./schemas.ts";

const PATH = "/v1/table";
const ROLE = "proxy";

/** What answers polls that `tablePolls` does not know by their look. */
export const tableEndpoint: Endpoint = {
  path: PATH,
  method: "get",
  role: ROLE,
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
  handle(request, api) {
    const { incoming, outgoing } = request.env;
    new TablePoll(api, incoming, outgoing).ask(request.get("principal"));
    return RESPONSE_ALREADY_SENT;
  },
};

/**
 * Takes the polls of proxies out of a server's requests, and says whether it has. What is asked of a poll is the same as of all requests; past
 * Hono it is a tenth of the objects, and as thousands of polls wait at one time, it is these that the garbage collector goes through.
 */
export function tablePolls(api: Api): (incoming: IncomingMessage, outgoing: ServerResponse) => boolean {
  return (incoming, outgoing) => {
    const { method, url = "", headers } = incoming;
    const isTable = url.startsWith(PATH) && (url.length === PATH.length || url[PATH.length] === "?");
    const hasBody = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
    if ((method !== "GET" && method !== "HEAD") || !isTable || hasBody) return false;
    void admitted(new TablePoll(api, incoming, outgoing, true), incoming, api);
    return true;
  };
}

async function admitted(poll: TablePoll, { headers }: IncomingMessage, { authenticator }: Api): Promise<void> {
  try {
    poll.ask(await admit({ authorization: headers.authorization, origin: headers.origin }, ROLE, authenticator));
  } catch (thrown) {
    poll.failed(thrown);
  }
}

/** One poll, from its headers to its answer. */
class TablePoll implements Asker, Ending {
  readonly #api: Api;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #isObserved: boolean;
  #principal: Principal | undefined;
  #poll: Poll | undefined;
  #connection: Connection | undefined;
  #isOver = false;

  /** `isObserved`: its end is counted and logged here. */
  constructor(api: Api, incoming: IncomingMessage, outgoing: ServerResponse, isObserved = false) {
    this.#api = api;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#isObserved = isObserved;
  }

  ask(principal: Principal): void {
    const { url = "", socket } = this.#incoming;
    this.#principal = principal;
    if (socket.destroyed) {
      this.left();
      return;
    }
    this.#connection = connectionOf(socket, this.#api.feed);
    this.#connection?.polls.push(this);
    const start = url.indexOf("?");
    const query = new URLSearchParams(start < 0 ? "" : url.slice(start + 1));
    this.#poll = this.#api.feed.ask(query, this, this.#connection?.address);
    if (!this.#isOver) endWith(principal.revoked, this);
  }

  answered(answer: Answer): void {
    this.#write(answer.status, "headers" in answer ? answer.headers : NO_STORE, answer.type, answer.body);
  }

  failed(thrown: unknown): void {
    const { method = "", headers } = this.#incoming;
    const error = errorOf(thrown, { method, path: PATH }, this.#api);
    const { status, headers: all, body } = errorAnswer(error, headers.accept);
    this.#write(status, all, all["content-type"], Buffer.from(body));
  }

  /** Its token means nothing any more. */
  revoked(): void {
    this.failed(new ApiError(401, `the token of ${this.#principal?.name} was revoked`));
    this.#poll?.end(undefined);
  }

  /** Its connection is closed. */
  left(): void {
    this.#end();
    this.#poll?.end(undefined);
  }

  #write(status: number, headers: Record<string, string>, type: string, body: Uint8Array): void {
    if (this.#isOver) return;
    this.#end();
    // Hono has answered a HEAD by itself that came to it.
    if (this.#outgoing.headersSent) return;
    this.#outgoing.writeHead(status, { ...headers, "content-type": type, "content-length": body.length });
    this.#outgoing.end(body);
    if (!this.#isObserved) return;
    const { method = "" } = this.#incoming;
    observe(this.#api, { endpoint: PATH, method, path: PATH, status, seconds: undefined, by: this.#principal });
  }

  #end(): void {
    this.#isOver = true;
    const { polls = [] } = this.#connection ?? {};
    const at = polls.indexOf(this);
    if (at >= 0) polls.splice(at, 1);
    if (this.#principal) stay(this.#principal.revoked, this);
  }
}

const NO_STORE = { "cache-control": "no-store" };

interface Connection {
  /** `HOST:PORT` of the client. */
  address: string;
  /** Those under way: one, unless a client asks before it has its answer. */
  polls: TablePoll[];
}

const connections = new WeakMap<Socket, Connection>();

/** The connection of a poll. Once it is closed, its polls are over, and the feed is told. */
function connectionOf(socket: Socket, feed: Feed): Connection | undefined {
  const known = connections.get(socket);
  if (known || !socket.remoteAddress) return known;
  const host = socket.remoteAddress.replace(/^::ffff:(?=\d+\.)/, "");
  const connection = { address: `${host.includes(":") ? `[${host}]` : host}:${socket.remotePort}`, polls: [] };
  connections.set(socket, connection);
  socket.once("close", () => closed(connection, feed));
  return connection;
}

function closed({ address, polls }: Connection, feed: Feed): void {
  for (const poll of [...polls]) poll.left();
  feed.left(address);
}
