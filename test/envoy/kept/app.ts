// A service whose answers a request can ask for: late, failing at first, or a redirect.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as after } from "node:timers/promises";
import { WebSocketServer } from "ws";

export interface App {
  name: string;
  port: number;
  /** Requests so far. */
  requests: number;
  stop: () => Promise<void>;
}

/** Attempts so far by service and the request's `x-id`, for `x-fail: N`: the first N attempts are answered 503. */
const attempts = new Map<string, number>();

export async function startApp(name: string): Promise<App> {
  const server = createServer((request, response) => {
    app.requests++;
    void answer(name, String(app.port), request, response);
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => {
    socket.on("message", (text) => socket.send(`${name} heard ${text}`));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = async () => {
    const closed = once(server, "close");
    for (const socket of sockets.clients) socket.terminate();
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const app: App = { name, port: (server.address() as AddressInfo).port, requests: 0, stop };
  return app;
}

async function answer(name: string, instance: string, request: IncomingMessage, response: ServerResponse) {
  request.resume();
  const { headers, method, url = "/" } = request;
  if (headers["x-delay"]) await after(Number(headers["x-delay"]));
  const id = `${name} ${headers["x-id"]}`;
  const attempt = (attempts.get(id) ?? 0) + 1;
  attempts.set(id, attempt);
  const status = attempt <= Number(headers["x-fail"] ?? 0) ? 503 : url.startsWith("/moved") ? 302 : 200;
  response.writeHead(status, {
    "content-type": "application/json",
    "x-service": name,
    "x-instance": instance,
    "x-from-app": "1",
    ...(status === 302 && { location: `http://${headers.host}/landed` }),
  });
  response.end(JSON.stringify({ method, url, headers }));
}
