// One HTTP/1.1 request, with headers in any number and order.
import { Agent, type IncomingMessage, request } from "node:http";
import type { Echo } from "../../../scripts/proxy/upstream.ts";

export type HeaderList = [name: string, value: string][];
export type Headers = Record<string, string> | HeaderList;
export type Answer = {
  status: number;
  /** The service that answered; empty when Envoy itself did. */
  service: string;
  /** All values that the service saw of a request header, in order. */
  seen: (name: string) => string[];
  headers: IncomingMessage["headers"];
  body: string;
};
export type Ask = { path?: string; headers?: Headers; agent?: Agent; method?: string; body?: string | Uint8Array };

/** A connection of its own that is kept alive: requests on it go one after the other through one worker. */
export function connection(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 });
}

export async function ask(
  port: number,
  { path = "/", headers = {}, agent, method = "GET", body }: Ask = {},
): Promise<Answer> {
  const { message, text } = await send(port, { path, headers, method, ...(agent && { agent }), ...(body && { body }) });
  const echo: Echo | undefined = message.headers["x-service"] && text !== "" ? JSON.parse(text) : undefined;
  return {
    status: message.statusCode ?? 0,
    service: echo?.service ?? "",
    seen: (name) => (echo?.headers ?? []).filter(([seen]) => seen === name).map(([, value]) => value),
    headers: message.headers,
    body: text,
  };
}

/**
 * The services that answer `what` on twelve connections, so on all workers. A worker takes an update over before its
 * second request after it at the latest, so each connection asks twice, and the second answer counts.
 */
export async function everywhere(port: number, what: Ask = {}): Promise<Set<string>> {
  const second = async (agent: Agent) => {
    await ask(port, { ...what, agent });
    const { service } = await ask(port, { ...what, agent });
    agent.destroy();
    return service;
  };
  return new Set(await Promise.all(Array.from({ length: 12 }, connection).map(second)));
}

function send(
  port: number,
  { path, headers = {}, agent, method, body }: Ask,
): Promise<{ message: IncomingMessage; text: string }> {
  const list = Array.isArray(headers) ? headers : Object.entries(headers);
  const named = list.some(([name]) => name.toLowerCase() === "host");
  const raw = [...(named ? [] : [["Host", `127.0.0.1:${port}`]]), ...list].flat() as string[];
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, method, agent: agent ?? false, headers: raw };
    const sent = request(options, async (message) => {
      try {
        resolve({ message, text: Buffer.concat(await message.toArray()).toString("utf8") });
      } catch (error) {
        reject(error);
      }
    });
    sent.on("error", reject).end(body);
  });
}
