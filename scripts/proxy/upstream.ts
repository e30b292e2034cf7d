// A service that answers with its own name and with the request as it arrived.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export type Echo = { service: string; method: string; url: string; headers: [name: string, value: string][] };
export type Upstream = { name: string; port: number; server: Server; stop: () => Promise<void> };

/** Serves on 127.0.0.1; port 0 takes any free one. */
export async function serve(name: string, port = 0): Promise<Upstream> {
  const server = createServer({ maxHeaderSize: 128 * 1024 }, (request, response) => {
    request.resume().on("end", () => {
      response.writeHead(200, { "content-type": "application/json", "x-service": encodeURIComponent(name) });
      response.end(`${JSON.stringify(echo(name, request), null, 2)}\n`);
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const stop = async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { name, port: (server.address() as AddressInfo).port, server, stop };
}

function echo(service: string, { method = "", url = "", rawHeaders }: IncomingMessage): Echo {
  const headers: Echo["headers"] = [];
  for (let i = 0; i < rawHeaders.length; i += 2)
    headers.push([(rawHeaders[i] as string).toLowerCase(), rawHeaders[i + 1] as string]);
  return { service, method, url, headers };
}
