// A registry in this process, small enough that a test can make it as odd as those in use are.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Server } from "./listening.ts";

export interface Asked {
  method: string;
  /** Without its query. */
  path: string;
  url: URL;
  authorization: string | undefined;
  host: string | undefined;
}

export interface Given {
  status: number;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

export interface Double extends Server {
  asked: Asked[];
  /** Blobs and manifests by `REPOSITORY@DIGEST`, manifests also by `REPOSITORY:TAG`. */
  stored: Map<string, Buffer>;
}

/** What a test may change: an answer in place of the usual one, undefined for the usual one. */
export type Oddity = (asked: Asked, double: Double) => Given | "never" | undefined;

export const sha256 = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

export async function startDouble(odd: Oddity = () => undefined): Promise<Double> {
  const server = createServer(async (request, response) => {
    const asked = askedOf(request);
    double.asked.push(asked);
    const body = await bodyOf(request);
    const given = odd(asked, double) ?? usual(asked, body, double.stored);
    if (given === "never") return;
    response.writeHead(given.status, given.headers).end(given.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const double: Double = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    stored: new Map(),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return double;
}

function askedOf({ method = "", url = "", headers }: IncomingMessage): Asked {
  const parsed = new URL(url, "http://double");
  return { method, path: parsed.pathname, url: parsed, authorization: headers.authorization, host: headers.host };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces);
}

function usual({ method, path, url }: Asked, body: Buffer, stored: Map<string, Buffer>): Given {
  const [, repository = "", kind, reference = ""] = /^\/v2\/(.+)\/(blobs|manifests)\/(.*)$/.exec(path) ?? [];
  const digest = url.searchParams.get("digest");
  if (method === "POST") return { status: 202, headers: { location: `/v2/${repository}/blobs/uploads/1` } };
  if (method === "PUT" && kind === "blobs" && digest !== null) {
    stored.set(`${repository}@${digest}`, body);
    return { status: 201 };
  }
  const key = `${repository}${reference.startsWith("sha256:") ? "@" : ":"}${reference}`;
  if (method === "PUT") {
    stored.set(`${repository}@${sha256(body)}`, body);
    stored.set(key, body);
    return { status: 201, headers: { "docker-content-digest": sha256(body) } };
  }
  const found = stored.get(key);
  if (!found) return { status: 404 };
  return { status: 200, ...(method === "GET" && { body: found }) };
}
