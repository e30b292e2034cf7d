/** Answers that are given before others have their turn. */
const ANSWERS_A_TURN = 24;

/** A turn with as many is followed by a pause of so many times its length. What the answered ones ask next takes as long as answering them. */
const PAUSE = 3;

/** Milliseconds of a pause, at most: a turn may have taken long because the process was stopped meanwhile. */
const LONGEST_PAUSE = 25;

/**
 * Gives answers a few at a time, so that a change for thousands of proxies keeps no write waiting: answers take a quarter of the time, and whatever
 * else has come in goes first.
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
    const isFull = this.#jobs.length > 0;
    // What has been answered is sent after this turn and before the next one.
    setImmediate(() => {
      if (this.#jobs.length === 0) this.#isBusy = false;
      else if (isFull) setTimeout(() => this.#turn(), Math.min(LONGEST_PAUSE, PAUSE * (performance.now() - start)));
      else this.#turn();
    });
  }
}
