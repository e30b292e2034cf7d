/** Milliseconds for which heartbeats are gathered: a thousand instances that send one every few seconds make ten writes a second. */
const GATHER_MS = 100;

/** Heartbeats that come together are written together. */
export class Heartbeats {
  readonly #renewAll: (ids: readonly string[]) => Promise<boolean[]>;
  #waiting = new Map<string, PromiseWithResolvers<boolean>>();
  #timer: NodeJS.Timeout | undefined;
  #isWriting = false;

  constructor(renewAll: (ids: readonly string[]) => Promise<boolean[]>) {
    this.#renewAll = renewAll;
  }

  /** Resolves once it is written, with whether there is somebody to renew. */
  renew(id: string): Promise<boolean> {
    const waiting = this.#waiting.get(id) ?? Promise.withResolvers<boolean>();
    this.#waiting.set(id, waiting);
    if (!this.#isWriting) this.#timer ??= setTimeout(() => void this.#write(), GATHER_MS);
    return waiting.promise;
  }

  /** What waits is written at once. */
  close(): void {
    if (this.#timer !== undefined) void this.#write();
  }

  async #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = new Map();
    this.#isWriting = true;
    try {
      const renewed = await this.#renewAll([...waiting.keys()]);
      for (const [at, { resolve }] of [...waiting.values()].entries()) resolve(renewed[at] ?? false);
    } catch (thrown) {
      for (const { reject } of waiting.values()) reject(thrown);
    }
    this.#isWriting = false;
    if (this.#waiting.size > 0) this.#timer = setTimeout(() => void this.#write(), GATHER_MS);
  }
}
