import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Role } from "../../auth/authenticator.ts";
import type { Sender } from "./auth.ts";

/** A request that is let in. */
export interface Call {
  sender: Sender;
  query: URLSearchParams;
  /** What stands in the path's place for a name, decoded. */
  name: string;
  /** The host that the client has asked, as it called it. */
  origin: string;
  /** The JSON of its body. */
  body: () => Promise<unknown>;
}

export interface Endpoint {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** `:name` stands for any name. */
  path: string;
  /** Undefined for everybody. */
  role: Role | undefined;
  handle: (call: Call) => Promise<Response> | Response;
}

/** What the HTTP server hands over beside the request. */
export interface Bindings {
  incoming: IncomingMessage;
}

/** An answer that both APIs' clients can tell from that of something in between. */
export function answer(status: number, body?: object, headers: Record<string, string> = {}): Response {
  const id = randomUUID();
  return new Response(body === undefined ? null : JSON.stringify(body), {
    status,
    headers: {
      "cache-control": "no-store",
      "sd-request-id": id,
      "a8-request-id": id,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
  });
}
