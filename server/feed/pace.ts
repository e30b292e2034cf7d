/** Answers that are given before others have their turn. */
const ANSWERS_A_TURN = 16;

/** A turn that has taken longer, in milliseconds, is followed by a pause as long as it. */
const LONG = 2;

/**
 * Gives answers a few at a time, so that a change for thousands of proxies keeps no write waiting: whatever else has come in goes first,
 * and has half of the time.
 */
export class Pace {
  #jobs: Generator<void>[] = [];
  #isBusy = false;

  /** Runs the job's steps, in turn with those of other jobs. */
  add(job: Generator<void>): void {
    this.#jobs.push(job);
    if (this.#isBusy) return;
    this.#isBusy = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    const start = performance.now();
    for (let steps = 0; steps < ANSWERS_A_TURN; steps++) {
      const job = this.#jobs.shift();
      if (!job) break;
      if (!job.next().done) this.#jobs.push(job);
    }
    // What has been answered is sent after this turn and before the next one.
    setImmediate(() => {
      if (this.#jobs.length === 0) {
        this.#isBusy = false;
        return;
      }
      const taken = performance.now() - start;
      if (taken > LONG) setTimeout(() => this.#turn(), taken);
      else this.#turn();
    });
  }
}
