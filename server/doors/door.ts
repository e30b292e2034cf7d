/** A listener for another system's clients. */
export interface Door {
  /** What is still to come before all its clients are served; undefined once they are. One that is there at once need not say. */
  waitsFor?(): string | undefined;
  /** Ends what is under way, at most `limitMs` later. */
  close(limitMs: number): Promise<void>;
}
