/** A listener for another system's clients. */
export interface Door {
  /** What is still to come before all its clients are served; undefined once they are. One that is there at once need not say. */
  waitsFor?(): string | undefined;
  /** Where a route comes from that this door writes and nobody else may, and where it is to be changed; undefined for any other route. */
  managed?(id: string): { from: string; next: string } | undefined;
  /** Ends what is under way, at most `limitMs` later. */
  close(limitMs: number): Promise<void>;
}
