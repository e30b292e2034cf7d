// A proxy that follows its table over HTTP, by one connection of its own.
import { Agent, type IncomingMessage, request } from "node:http";
import { onTestFinished } from "vitest";
import { ReferenceClient } from "../feed/reference-client.ts";

export class Poller {
  readonly client: ReferenceClient;
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #left: Agent[] = [];
  #url: string;
  #port = 0;

  constructor(url: string, scope = "") {
    this.client = new ReferenceClient(scope);
    this.#url = url;
    onTestFinished(() => this.close());
  }

  /** The address of its connection. */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Asks another server from now on; its connection to the one before stays open, as in Envoy's pools. */
  moveTo(url: string): void {
    this.#left.push(this.#agent);
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1 });
    this.#url = url;
  }

  /** One poll, applied; waits so many seconds for a change. */
  async poll(wait = 0): Promise<void> {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = request(`${this.#url}/v1/table?${this.client.query(wait)}`, { agent: this.#agent }, resolve);
      asked.on("error", reject).on("socket", (socket) => {
        this.#port = socket.localPort ?? 0;
        socket.once("connect", () => {
          this.#port = socket.localPort ?? 0;
        });
      });
      asked.end();
    });
    const pieces: Buffer[] = [];
    for await (const piece of answer) pieces.push(piece);
    if (answer.statusCode !== 200) throw new Error(Buffer.concat(pieces).toString());
    this.client.apply(Buffer.concat(pieces));
  }

  /** Polls until its table is whole, and says so with one more poll. */
  async settle(): Promise<void> {
    do await this.poll();
    while (!this.client.isConsistent || !this.client.isServing);
    await this.poll();
  }

  /** Goes on polling until its connection is closed. */
  follow(): void {
    const next = (): Promise<void> => this.poll(20).then(next);
    next().catch(() => {});
  }

  close(): void {
    for (const agent of [this.#agent, ...this.#left]) agent.destroy();
  }
}
