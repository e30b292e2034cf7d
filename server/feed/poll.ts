import type { Question } from "./query.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

/** What becomes of a poll: the page that answers it, why there is none, or undefined where who asked is gone. */
export type Outcome = Bytes | Error | undefined;

/** A question of a proxy, which comes to one end. Thousands wait at one time, so each of them is as few objects as can be. */
export abstract class Poll {
  readonly question: Question;
  /** Where it is held. */
  holder: { release(poll: Poll): void } | undefined;
  /** While it is held: the place in the table's log at which the proxy is. */
  place = 0;
  /** While it is held: when it is answered at the latest, by the steady clock. */
  due = 0;
  isOver = false;

  constructor(question: Question) {
    this.question = question;
  }

  /** Ends it, unless it has come to its end before. */
  end(outcome: Outcome): void {
    if (this.isOver) return;
    this.isOver = true;
    this.holder?.release(this);
    this.ended(outcome);
  }

  protected abstract ended(outcome: Outcome): void;
}
