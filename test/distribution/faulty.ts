import { createServer, request as forward, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import type { Server } from "../registry/listening.ts";

export interface Asked {
  method: string;
  /** With its query. */
  path: string;
  headers: IncomingHttpHeaders;
  /** How many requests of this method and kind of path came before. */
  earlier: number;
}

export interface Given {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** What to do with a request: answer it, cut the connection, or change what the real registry answers. */
export type Fault = Partial<Given> | "cut" | ((given: Given) => Given) | undefined;

export interface Faulty extends Server {
  /** Every request so far: `PUT manifests`. */
  asked: string[];
}

/** A registry in front of the real one that goes wrong where `fault` says so. */
export async function startFaulty(real: string, fault: (asked: Asked) => Fault): Promise<Faulty> {
  const asked: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const pieces: Buffer[] = [];
    incoming.on("data", (piece) => pieces.push(piece));
    incoming.on("end", () => {
      const { method = "", url = "", headers } = incoming;
      const kind = `${method} ${["uploads", "blobs", "manifests"].find((part) => url.includes(`/${part}/`)) ?? url}`;
      const found = fault({ method, path: url, headers, earlier: asked.filter((one) => one === kind).length });
      asked.push(kind);
      if (found === "cut") return void incoming.socket.destroy();
      if (found && typeof found === "object") {
        outgoing.writeHead(found.status ?? 200, found.headers);
        return void outgoing.end(found.body);
      }
      const onward = forward(`http://${real}${url}`, { method, headers }, (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part) => parts.push(part));
        answer.on("end", () => {
          const given = { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) };
          const { status, headers, body } = found ? found(given) : given;
          outgoing.writeHead(status, headers);
          outgoing.end(body);
        });
      });
      onward.end(Buffer.concat(pieces));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
