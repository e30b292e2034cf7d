// A small file beside the database with the newest revision that anybody can have been told of. A database that is older than
// that was put in place of the one that was told of: a backup.
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

export class Seen {
  readonly #file: string;
  #open: number | undefined;
  #told = -1;

  constructor(database: string) {
    this.#file = `${database}-seen`;
  }

  /** Whether what is stored goes on with what was told before. Nothing was told of a database that is new. */
  goesOnWith(history: bigint, revision: number): boolean {
    if (revision === 0) return true;
    try {
      const [told = "", at = ""] = readFileSync(this.#file, "utf8").trim().split(/ +/);
      return told === history.toString(16) && Number(at) <= revision;
    } catch {
      return false;
    }
  }

  /** Written before the revision is told. It is not synced: it has to outlive this process and not the machine, whose end the
   * database outlives with all that was ever written here. */
  write(history: bigint, revision: number): void {
    if (revision <= this.#told) return;
    this.#told = revision;
    try {
      this.#open ??= openSync(this.#file, "w");
      writeSync(this.#open, `${history.toString(16).padStart(16)} ${String(revision).padStart(16)}\n`, 0);
    } catch {
      // Without it the next start begins another history, which costs proxies one comparison.
    }
  }

  close(): void {
    if (this.#open !== undefined) closeSync(this.#open);
    this.#open = undefined;
  }
}
