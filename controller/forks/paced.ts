const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 60_000;

/** Tells of each name at once, and less and less often while the telling itself seems to bring the next occasion about. */
export class Paced {
  readonly #tell: (name: string) => void;
  readonly #told = new Map<string, { at: number; pause: number; timer: NodeJS.Timeout | undefined }>();

  constructor(tell: (name: string) => void) {
    this.#tell = tell;
  }

  add(name: string): void {
    const now = performance.now();
    const told = this.#told.get(name) ?? { at: Number.NEGATIVE_INFINITY, pause: 0, timer: undefined };
    this.#told.set(name, told);
    if (told.timer !== undefined) return;
    const isCalm = now - told.at > Math.max(2 * told.pause, FIRST_PAUSE_MS);
    told.pause = isCalm ? 0 : Math.min(Math.max(2 * told.pause, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
    const wait = Math.max(0, told.at + told.pause - now);
    told.timer = setTimeout(() => {
      told.timer = undefined;
      told.at = performance.now();
      this.#tell(name);
    }, wait).unref();
  }

  delete(name: string): void {
    clearTimeout(this.#told.get(name)?.timer);
    this.#told.delete(name);
  }
}
