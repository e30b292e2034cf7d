import { setTimeout as sleep } from "node:timers/promises";
import { KeywayError } from "../errors.ts";

/** Somebody was asked and did not answer in time. */
export class NoAnswer extends KeywayError {}

/** The whole command has run out of the time that the person gave it. */
export class TimeIsUp extends KeywayError {}

export interface Limit {
  /** Milliseconds without a sign of life. */
  ms: number;
  /** Ends the work too: the person's interruption, or the end of the command's own time. */
  signal: AbortSignal;
  /** Who is asked: `the API server`. */
  who: string;
  /** What it is asked, and where. */
  where: string;
}

/**
 * Runs work that must stop when its signal is aborted, and calls `alive` whenever a part of the answer comes. Throws NoAnswer or
 * TimeIsUp with the name of whoever did not answer, and the signal's own reason when the person interrupts.
 */
export async function withLimit<T>(
  { ms, signal, who, where }: Limit,
  work: (signal: AbortSignal, alive: () => void) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const ended = new AbortController();
  const end = () => ended.abort(signal.reason);
  const noAnswer = new NoAnswer(`${who} did not answer within ${ms / 1000} s`, { where });
  const timer = setTimeout(() => ended.abort(noAnswer), ms);
  signal.addEventListener("abort", end, { once: true });
  try {
    return await abortable(
      work(ended.signal, () => timer.refresh()),
      ended.signal,
    );
  } catch (thrown) {
    if (!ended.signal.aborted) throw thrown;
    throw signal.aborted ? reasonOf(signal, `${who} has not answered`, where) : ended.signal.reason;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

/**
 * Waits so many milliseconds, and no longer than until the signal is aborted: it rejects with the signal's own reason then, and with what is
 * still waited for where the command's time is up.
 */
export async function pause(ms: number, signal: AbortSignal, waitsFor?: string): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {
    throw reasonOf(signal, waitsFor);
  });
}

/** Why a signal was aborted. That the time is up says nothing by itself, so `what` and `where` say more. */
function reasonOf({ reason }: AbortSignal, what?: string, where?: string): unknown {
  if (!(reason instanceof TimeIsUp) || what === undefined) return reason;
  return new TimeIsUp(`${reason.message}: ${what}`, { next: reason.next ?? "", ...(where !== undefined && { where }) });
}

/**
 * Aborted with `signal`, or with a reason of its own after so many milliseconds. The timer holds the result and does not keep the process; a
 * composed signal (`AbortSignal.any`) is held by nothing and may be collected before it is aborted.
 */
export function within(signal: AbortSignal, ms: number, reason: Error): AbortSignal {
  const ended = new AbortController();
  if (signal.aborted) ended.abort(signal.reason);
  signal.addEventListener("abort", () => ended.abort(signal.reason), { once: true });
  setTimeout(() => ended.abort(reason), ms).unref();
  return ended.signal;
}

/** Rejects with the signal's reason as soon as it is aborted, whatever the promise does then. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => {});
    return Promise.reject(signal.reason);
  }
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
