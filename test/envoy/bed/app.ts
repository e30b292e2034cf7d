// An application that answers each request with what its function makes of it, as JSON.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createHttp2Server, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { AddressInfo, Socket } from "node:net";

export type App = { port: number; stop: () => Promise<void> };
export type Handle = (request: Pick<IncomingMessage, "headers" | "url">) => Promise<unknown>;

/** Over HTTP/1.1. A function that throws is a 503. */
export async function app(handle: Handle): Promise<App> {
  const server = createServer(async (request, response) => {
    const [status, body] = await answer(handle, request);
    response.writeHead(status, { "x-service": "app" }).end(body);
  });
  return listen(server);
}

/** Over HTTP/2. */
export async function appOverHttp2(handle: Handle): Promise<App> {
  const server = createHttp2Server(async (request: Http2ServerRequest, response: Http2ServerResponse) => {
    const [status, body] = await answer(handle, request);
    response.writeHead(status, { "x-service": "app" }).end(body);
  });
  return listen(server as unknown as Server);
}

async function answer(handle: Handle, request: Parameters<Handle>[0]): Promise<[status: number, body: string]> {
  try {
    return [200, JSON.stringify(await handle(request)) ?? ""];
  } catch (error) {
    return [503, JSON.stringify(String(error))];
  }
}

/** Listens on any free port of this machine. */
export async function listen(server: Server): Promise<App> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const open = new Set<Socket>();
  server.on("connection", (socket) => open.add(socket.on("close", () => open.delete(socket))));
  const stop = async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of open) socket.destroy();
    await closed;
  };
  return { port: (server.address() as AddressInfo).port, stop };
}
