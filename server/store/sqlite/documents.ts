// The documents, as the thread that serves knows them; the other thread reads and writes them.
import type { DocumentChange, Documents, DocumentWrite } from "../documents.ts";
import { errorOf } from "./failures.ts";
import type { DocumentsAnswer, Request } from "./messages.ts";

interface Waiting {
  resolve: (versions: (number | undefined)[]) => void;
  reject: (error: Error) => void;
}

export class SqliteDocuments implements Documents {
  readonly #post: (request: Request) => void;
  readonly #waiting = new Map<number, Waiting>();
  #number = 0;
  #onChange: (changes: readonly DocumentChange[]) => void = () => {};

  /** `post` throws where the store is closed. */
  constructor(post: (request: Request) => void) {
    this.#post = post;
  }

  async follow(onChange: (changes: readonly DocumentChange[]) => void): Promise<void> {
    this.#onChange = onChange;
    await this.write([]);
  }

  write(writes: readonly DocumentWrite[]): Promise<(number | undefined)[]> {
    return new Promise((resolve, reject) => {
      const number = this.#number++;
      this.#waiting.set(number, { resolve, reject });
      try {
        this.#post({ documents: writes, number });
      } catch (thrown) {
        this.#waiting.delete(number);
        throw thrown;
      }
    });
  }

  take({ documents, done }: DocumentsAnswer): void {
    if (documents.length > 0) this.#onChange(documents);
    if (done === undefined) return;
    const waiting = this.#waiting.get(done.number);
    this.#waiting.delete(done.number);
    if ("failure" in done) waiting?.reject(errorOf(done.failure));
    else waiting?.resolve(done.versions);
  }

  end(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
