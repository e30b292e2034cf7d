// Other servers, as this one asks them.
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { onTestFinished } from "vitest";
import { type Peer, Peers, type PeersSettings } from "../../server/peers/peers.ts";

/** What a server answers that has one proxy. */
export const answerOf = (server: string, more: object = {}) => ({
  ...{ revision: 1, proxies: 1, inForce: 1, scopes: [], server },
  followers: [{ address: "10.0.0.9:1", scope: "", digest: "00ff", came: 60_000 }],
  ...more,
});

/** Starts a server and returns its address. */
export async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

/** One that answers with this as JSON; what it was asked is put into `asked`. */
export const answering = (status: number, body: unknown, asked: IncomingMessage[] = []) =>
  listening((request, response) => {
    asked.push(request);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });

export function peersAt(peers: (string | Peer)[], more: Partial<PeersSettings> = {}): Peers {
  const all = peers.map((one) => (typeof one === "string" ? { url: one, isReady: true } : one));
  const made = new Peers({
    serverId: "self",
    directory: { find: async () => all, close: async () => {} },
    authorization: async () => undefined,
    signal: new AbortController().signal,
    answerMs: 1500,
    ...more,
  });
  onTestFinished(() => made.close());
  return made;
}
