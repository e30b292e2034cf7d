// The lines that a child process writes, kept, so that one can wait for a line that may have come already.
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

export class Lines {
  readonly all: string[] = [];
  #waiting: (() => void)[] = [];
  #ended = false;

  constructor(...streams: Readable[]) {
    let open = streams.length;
    for (const input of streams) {
      const reader = createInterface({ input });
      reader.on("line", (line) => this.#wake(() => this.all.push(line)));
      reader.on("close", () => this.#wake(() => (this.#ended = --open === 0)));
    }
  }

  /** The first line at or after index `from` that matches; undefined when the streams end without one. */
  async find(pattern: RegExp, from = 0): Promise<string | undefined> {
    for (let index = from; ; index++) {
      while (index >= this.all.length) {
        if (this.#ended) return undefined;
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
      if (pattern.test(this.all[index] as string)) return this.all[index];
    }
  }

  #wake(change: () => void): void {
    change();
    const woken = this.#waiting;
    this.#waiting = [];
    for (const resolve of woken) resolve();
  }
}
