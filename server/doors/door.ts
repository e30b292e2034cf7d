/** A listener for another system's clients. */
export interface Door {
  /** Ends what is under way, at most `limitMs` later. */
  close(limitMs: number): Promise<void>;
}
