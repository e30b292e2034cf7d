import type { Flip } from "./endpoints.ts";

interface Settling {
  /** The ports that were ready before, and still are. */
  ready: ReadonlySet<string>;
  timer: NodeJS.Timeout;
}

/** The Services of which a port is ready that was not: a mesh takes a while to tell its proxies of the endpoints, and a request that came
 * before would find none. */
export class SettlingServices {
  readonly #ms: number;
  readonly #settled: (service: string) => void;
  readonly #settling = new Map<string, Settling>();

  /** `settled` is called with a Service once its ports have been ready for so many milliseconds. */
  constructor(ms: number, settled: (service: string) => void) {
    this.#ms = ms;
    this.#settled = settled;
  }

  /** Whether a port is not ready any more. */
  flip({ service, before, after }: Flip): boolean {
    const known = this.#settling.get(service);
    clearTimeout(known?.timer);
    this.#settling.delete(service);
    const settled = known?.ready ?? before;
    const ready = new Set([...settled].filter((port) => after.has(port)));
    if (ready.size < after.size) this.#settle(service, ready);
    return ready.size < settled.size;
  }

  /** Whether a port that is ready has been so for long enough. */
  isSettled(service: string, port: string): boolean {
    return this.#settling.get(service)?.ready.has(port) ?? true;
  }

  #settle(service: string, ready: ReadonlySet<string>): void {
    const timer = setTimeout(() => {
      this.#settling.delete(service);
      this.#settled(service);
    }, this.#ms).unref();
    this.#settling.set(service, { ready, timer });
  }
}
