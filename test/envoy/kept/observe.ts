// What a client, and the service that answers it, can see of one request.
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { WebSocket } from "ws";
import { ask } from "../bed/client.ts";

export interface Call {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface Seen {
  status: number;
  /** The service, by its baseline's name; empty where the proxy answered. */
  service: string;
  /** What a service saw: method, path and headers, without what differs from request to request. */
  arrived: unknown;
  answer: Record<string, unknown>;
}

/** A virtual host of one listener, as a client with a key or without one reaches it. */
export interface Client {
  port: number;
  host: string;
  keyed: boolean;
  /** Called with the name of each service that answers. */
  answeredBy: (service: string) => void;
}

export type Send = (call?: Call) => Promise<Seen>;

export const KEY = { "x-routing-key": "pr-1" };
const ANOTHER_EACH_TIME = ["x-request-id", "x-id", "x-forwarded-proto", "connection", "content-length", "date"];
const OURS = ["x-routing-key", "x-keyway-routed", "x-keyway-served"];
const OF_THE_ANSWER = ["x-envoy-upstream-service-time", "x-service", "x-instance", "x-ratelimit-reset", "keep-alive"];

const TIMEOUT = "x-envoy-expected-rq-timeout-ms";

let requests = 0;

export function sender({ port, host, keyed, answeredBy }: Client): Send {
  return async ({ method = "GET", path = "/", headers = {}, body } = {}) => {
    const sent = { host, "x-id": String(++requests), ...headers, ...(keyed && KEY) };
    const answer = await ask(port, { method, path, headers: sent, ...(body !== undefined && { body }) });
    const service = String(answer.headers["x-service"] ?? "");
    if (service !== "") answeredBy(service);
    return {
      status: answer.status,
      service: baselineOf(service),
      arrived: service === "" || answer.body === "" ? undefined : arrived(JSON.parse(answer.body)),
      answer: without(answer.headers, [...ANOTHER_EACH_TIME, ...OURS, ...OF_THE_ANSWER]),
    };
  };
}

function arrived({ headers, ...rest }: { headers: Record<string, unknown> }) {
  const seen = without(headers, [...ANOTHER_EACH_TIME, ...OURS]);
  // What is left of the timeout of 15 s when a retry is sent differs from time to time.
  if (Number(seen[TIMEOUT]) > 5000) seen[TIMEOUT] = "the usual one";
  return { ...rest, headers: seen };
}

function without(headers: Record<string, unknown>, names: readonly string[]) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

/** The instances of a service that answer ten requests of the same user. */
export async function instances({ port, host, keyed, answeredBy }: Client): Promise<Set<unknown>> {
  const seen = new Set<unknown>();
  for (let i = 0; i < 10; i++) {
    const { headers } = await ask(port, { headers: { host, "x-user": "alice", ...(keyed && KEY) } });
    answeredBy(String(headers["x-service"]));
    seen.add(headers["x-instance"]);
  }
  return seen;
}

function baselineOf(service: string): string {
  return service.replace(/-pr$/, "");
}

/** What comes back over a WebSocket, or the status that refuses it. */
export async function webSocket({ port, host, keyed, answeredBy }: Client): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host, ...(keyed && KEY) } });
  try {
    await once(socket, "open");
    socket.send("hi");
    const [service = "", ...rest] = String((await once(socket, "message"))[0]).split(" ");
    answeredBy(service);
    return [baselineOf(service), ...rest].join(" ");
  } catch (error) {
    return String(error);
  } finally {
    socket.terminate();
  }
}

/** What a GET through a CONNECT tunnel is answered, by the service's name. */
export async function tunnel({ port, host, keyed, answeredBy }: Client): Promise<string> {
  const headers = { host: `${host}:80`, ...(keyed && KEY) };
  const asked = httpRequest({ port, method: "CONNECT", path: `${host}:80`, headers, agent: false }).end();
  const [response, socket] = await once(asked, "connect");
  if (response.statusCode !== 200) return String(response.statusCode);
  socket.write("GET /inside HTTP/1.1\r\nhost: inside\r\nconnection: close\r\n\r\n");
  const text = Buffer.concat(await socket.toArray()).toString("utf8");
  const service = /x-service: (\S+)/.exec(text)?.[1] ?? "";
  answeredBy(service);
  return `${baselineOf(service)} ${/"url":"([^"]*)"/.exec(text)?.[1]}`;
}
