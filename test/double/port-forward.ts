// pods/portforward over WebSocket: channel 0 carries data, channel 1 a refusal; each begins with the port, two bytes, low byte first.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";

const DATA = 0;
const REFUSAL = 1;

/** How something in a pod answers a request that came through the tunnel. */
export type PodHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** Accepts the connection and never answers, like a stopped process. */
export const stopped: PodHandler = () => {};

/** A fake of Envoy's admin interface: answers by path and query, 404 for any other. */
export function admin(answers: Record<string, unknown>): PodHandler {
  return (request, response) => {
    const answer = answers[`${request.url}`];
    response.writeHead(answer === undefined ? 404 : 200);
    response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
  };
}

export class Pods {
  readonly #handlers = new Map<string, PodHandler>();
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "v4.channel.k8s.io" });

  /** Lets a pod listen on a port: `demo/reviews-1`, 15000. */
  listen(pod: string, port: number, handler: PodHandler): void {
    this.#handlers.set(`${pod}:${port}`, handler);
  }

  silence(pod: string, port: number): void {
    this.#handlers.delete(`${pod}:${port}`);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, pod: string, port: number): void {
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#serve(webSocket, pod, port));
  }

  close(): void {
    for (const client of this.#sockets.clients) client.terminate();
  }

  async #serve(webSocket: WebSocket, pod: string, port: number): Promise<void> {
    const portBytes = Buffer.from([port & 255, port >> 8]);
    for (const channel of [DATA, REFUSAL]) webSocket.send(Buffer.concat([Buffer.from([channel]), portBytes]));
    const handler = this.#handlers.get(`${pod}:${port}`);
    if (handler === undefined) {
      const said = `an error occurred forwarding ${port}: connection refused`;
      webSocket.send(Buffer.concat([Buffer.from([REFUSAL]), Buffer.from(said)]));
      return;
    }
    const server = createServer(handler);
    const tunnel = await connectTo(server);
    tunnel.on("data", (data: Buffer) => webSocket.send(Buffer.concat([Buffer.from([DATA]), data])));
    tunnel.on("close", () => webSocket.close());
    tunnel.on("error", () => {});
    webSocket.on("message", (frame: Buffer) => tunnel.write(frame.subarray(1)));
    webSocket.on("close", () => {
      tunnel.destroy();
      server.close();
    });
  }
}

async function connectTo(server: Server): Promise<Duplex> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return connect(port, "127.0.0.1");
}
