import type { DocumentChange } from "./documents.ts";

/** The documents of a store whose backend tells what happens, as far as that is known here. */
export class KnownDocuments {
  readonly #versions = new Map<string, number>();
  #onChange: ((changes: readonly DocumentChange[]) => void) | undefined;
  #version = 0;
  #progress = Promise.withResolvers<void>();

  get isFollowed(): boolean {
    return this.#onChange !== undefined;
  }

  set onChange(listener: (changes: readonly DocumentChange[]) => void) {
    this.#onChange = listener;
  }

  /** Everything up to this version has been told. */
  get version(): number {
    return this.#version;
  }

  /** 0 for a document that is not there. */
  versionOf(id: string): number {
    return this.#versions.get(id) ?? 0;
  }

  /** Takes over all that there is at a version. */
  load(documents: readonly DocumentChange[], version: number): void {
    const ids = new Set(documents.map(({ id }) => id));
    const gone = [...this.#versions.keys()].filter((id) => !ids.has(id)).map((id) => ({ id, version }));
    this.tell([...documents.filter((one) => this.versionOf(one.id) < one.version), ...gone]);
    this.reached(version);
  }

  /** Takes over what happened, in the order of the versions; what is known already is passed over. */
  take(changes: readonly DocumentChange[]): void {
    this.tell(
      changes.filter(({ id, version, text }) => {
        const known = this.versionOf(id);
        return version >= this.#version && (text === undefined ? known > 0 : known < version);
      }),
    );
    for (const { version } of changes) this.reached(version);
  }

  tell(changes: readonly DocumentChange[]): void {
    for (const { id, version, text } of changes) {
      if (text === undefined) this.#versions.delete(id);
      else this.#versions.set(id, version);
    }
    if (changes.length > 0) this.#onChange?.(changes);
    this.#moved();
  }

  reached(version: number): void {
    this.#version = Math.max(this.#version, version);
    this.#moved();
  }

  /** Waits until it holds; false where it does not until the limit is over. */
  async until(holds: () => boolean, limit: AbortSignal): Promise<boolean> {
    const over = new Promise<void>((resolve) => limit.addEventListener("abort", () => resolve(), { once: true }));
    while (!holds()) {
      if (limit.aborted) return false;
      await Promise.race([this.#progress.promise, over]);
    }
    return true;
  }

  #moved(): void {
    this.#progress.resolve();
    this.#progress = Promise.withResolvers();
  }
}
