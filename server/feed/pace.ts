/** Answers that are given before others have their turn: a page for thousands of proxies must not keep a write waiting. */
const ANSWERS_A_TURN = 32;

/** Runs jobs a few steps at a time, in turn, and lets whatever has come in meanwhile go first. */
export class Pace {
  #jobs: Generator<void>[] = [];
  #isWaiting = false;

  add(job: Generator<void>): void {
    this.#jobs.push(job);
    this.#wait();
  }

  #wait(): void {
    if (this.#isWaiting || this.#jobs.length === 0) return;
    this.#isWaiting = true;
    setImmediate(() => {
      this.#isWaiting = false;
      this.#turn();
      this.#wait();
    });
  }

  #turn(): void {
    for (let steps = 0; steps < ANSWERS_A_TURN; steps++) {
      const job = this.#jobs.shift();
      if (!job) return;
      if (!job.next().done) this.#jobs.push(job);
    }
  }
}
