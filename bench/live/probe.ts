// A connection that asks until a route is in force.
import type { Socket } from "node:net";

/** Milliseconds between two requests of a connection: so few at first, then this share of the time that has passed. */
const PAUSE = 2;
const PAUSE_SHARE = 0.05;
const PATIENCE = 60_000; // milliseconds
const HEAD_END = "\r\n\r\n";

export class Probe {
  readonly #socket: Socket;
  readonly #host: string;
  readonly #mark: string;

  /** A connection to a proxy, the host that it asks for, and what the head of an answer holds when its request was routed. */
  constructor(socket: Socket, host: string, mark: string) {
    this.#socket = socket.setNoDelay();
    this.#host = host;
    this.#mark = mark;
  }

  /** When an answer says that its request was routed. */
  routed(key: string): Promise<number> {
    const request = `GET / HTTP/1.1\r\nHost: ${this.#host}\r\nx-routing-key: ${key}${HEAD_END}`;
    const start = performance.now();
    return new Promise((resolve, reject) => {
      let answer = "";
      const ask = () => this.#socket.write(request);
      const end = (error?: Error) => {
        this.#socket.off("data", onData).off("error", end).off("close", onClose);
        if (error) reject(error);
        else resolve(performance.now());
      };
      const onClose = () => end(new Error(`the connection that asks for ${key} was closed`));
      const onData = (chunk: Buffer) => {
        answer += chunk;
        const head = headOf(answer);
        if (head === undefined) return;
        answer = "";
        if (head.includes(this.#mark)) return end();
        const passed = performance.now() - start;
        if (passed > PATIENCE) return end(new Error(`${key} is not routed after ${PATIENCE} ms:\n${head}`));
        setTimeout(ask, Math.max(PAUSE, passed * PAUSE_SHARE));
      };
      this.#socket.on("data", onData).on("error", end).on("close", onClose);
      ask();
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** The head of an answer that has come whole. */
function headOf(answer: string): string | undefined {
  const end = answer.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const head = answer.slice(0, end).toLowerCase();
  const length = Number(/\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0);
  return answer.length >= end + HEAD_END.length + length ? head : undefined;
}
