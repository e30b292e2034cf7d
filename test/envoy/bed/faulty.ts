// What stands between proxies and a route server, and does to its answers what networks and broken servers do.
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What becomes of one answer. `bytes` are those of the server. */
export type Fault = (bytes: Buffer, response: ServerResponse, asked: URL) => void | Promise<void>;

export const pass: Fault = (bytes, response) => void response.end(bytes);
/** The connection breaks before an answer. */
export const reset: Fault = (_, response) => void response.socket?.destroy();
/** As if nobody was there: neither answer nor end. */
export const silence: Fault = () => {};
export const status =
  (code: number, body = "no"): Fault =>
  (_, response) =>
    void response.writeHead(code).end(body);
export const instead =
  (bytes: Uint8Array): Fault =>
  (_, response) =>
    void response.end(bytes);
/** A whole answer of fewer bytes. */
export const shortened =
  (length: number): Fault =>
  (bytes, response) =>
    void response.end(bytes.subarray(0, length));
/** The connection breaks in the middle of an answer. */
export const cut =
  (length: number): Fault =>
  (bytes, response) => {
    response.writeHead(200, { "content-length": bytes.length });
    response.write(bytes.subarray(0, length), () => response.socket?.destroy());
  };
export const flipped =
  (offset: number, bit = 0): Fault =>
  (bytes, response) => {
    const copy = Buffer.from(bytes);
    if (offset < copy.length) copy[offset] = (copy[offset] as number) ^ (1 << bit);
    response.end(copy);
  };
export const slowly =
  (bytesPerStep: number, ms: number): Fault =>
  async (bytes, response) => {
    for (let at = 0; at < bytes.length; at += bytesPerStep) {
      response.write(bytes.subarray(at, at + bytesPerStep));
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
    response.end();
  };

export class Faulty {
  /** Where the server is; can be another one later. */
  upstream: number;
  /** What becomes of answers now; the request is not even passed on where `fault.length` is 0. */
  fault: Fault = pass;
  /** Answers given so far. */
  answers = 0;
  readonly server: Server;

  constructor(upstream: number) {
    this.upstream = upstream;
    this.server = createServer((asked, response) => {
      const options = { host: "127.0.0.1", port: this.upstream, path: asked.url, headers: asked.headers };
      const passed = request(options, (answer) => void this.#answer(asked, answer, response));
      passed.on("error", () => response.socket?.destroy()).end();
      response.on("close", () => passed.destroy());
    });
  }

  async start(): Promise<this> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    return this;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async #answer(asked: IncomingMessage, answer: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const bytes = Buffer.concat(await answer.toArray());
      this.answers++;
      if (this.fault === pass) response.writeHead(answer.statusCode ?? 502, answer.headers);
      await this.fault(bytes, response, new URL(asked.url ?? "/", "http://a"));
    } catch {
      response.socket?.destroy();
    }
  }

  /** Ends every connection that there is. */
  drop(): void {
    this.server.closeAllConnections();
  }

  async stop(): Promise<void> {
    const closed = once(this.server, "close");
    this.server.close();
    this.drop();
    await closed;
  }
}
