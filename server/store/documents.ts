// Documents that other systems' clients keep beside the routes. They are no part of the table: no change of one is a revision of it, and
// proxies are told of none.

export interface DocumentWrite {
  /** Letters, digits and `. _ ~ - /`. */
  id: string;
  /** JSON; the document is deleted without it. */
  text?: string;
  /** The version that must be there, 0 for none at all; any unless said. */
  version?: number;
}

/** What a document is now; without a text it is gone. */
export interface DocumentChange {
  id: string;
  version: number;
  text?: string;
}

export interface Documents {
  /** Tells all there are, and from then on each change, by whoever it is made. Throws Unavailable or Damaged. */
  follow(onChange: (changes: readonly DocumentChange[]) => void): Promise<void>;
  /**
   * Writes each by itself. Resolves once all of it is durable and told: with the version of each, or undefined for one that was not
   * written, because another version is there than it demands. Throws Unavailable or Full.
   */
  write(writes: readonly DocumentWrite[]): Promise<(number | undefined)[]>;
}
