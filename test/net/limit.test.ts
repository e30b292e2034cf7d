import { expect, test, vi } from "vitest";
import { abortable, NoAnswer, TimeIsUp, within, withLimit } from "../../shared/net/limit.ts";

const never = () => new Promise<never>(() => {});
const asked = { who: "the oracle", where: "Delphi" };

test("what answers in time is the answer, and leaves no timer and no listener", async () => {
  vi.useFakeTimers();
  const { signal } = new AbortController();
  const removed = vi.spyOn(signal, "removeEventListener");
  expect(await withLimit({ ms: 1000, signal, ...asked }, async () => 42)).toBe(42);
  expect(vi.getTimerCount()).toBe(0);
  expect(removed).toHaveBeenCalledTimes(1);
  vi.useRealTimers();
});

test("who does not answer is named, and each sign of life gives new time", async () => {
  vi.useFakeTimers();
  const { signal } = new AbortController();
  let answered: unknown;
  withLimit({ ms: 1000, signal, ...asked }, (_, alive) => {
    setTimeout(alive, 900);
    return never();
  }).catch((thrown: unknown) => {
    answered = thrown;
  });
  await vi.advanceTimersByTimeAsync(1500);
  expect(answered).toBeUndefined();
  await vi.advanceTimersByTimeAsync(500);
  expect(answered).toBeInstanceOf(NoAnswer);
  expect(answered).toMatchObject({ message: "the oracle did not answer within 1 s", where: "Delphi" });
  vi.useRealTimers();
});

test("the end of the command's time names who had not answered, an interruption is passed on as it is", async () => {
  const over = new AbortController();
  const late = withLimit({ ms: 60_000, signal: over.signal, ...asked }, never);
  over.abort(new TimeIsUp("not done within the 5 s of --timeout", { next: "wait longer" }));
  await expect(late).rejects.toMatchObject({
    message: "not done within the 5 s of --timeout: the oracle has not answered",
    where: "Delphi",
    next: "wait longer",
  });
  const stop = new AbortController();
  const stopped = withLimit({ ms: 60_000, signal: stop.signal, ...asked }, never);
  const reason = new Error("interrupted");
  stop.abort(reason);
  await expect(stopped).rejects.toBe(reason);
  await expect(withLimit({ ms: 60_000, signal: stop.signal, ...asked }, never)).rejects.toBe(reason);
});

test("the work is told to stop, and a failure of its own before that is what is thrown", async () => {
  const stop = new AbortController();
  const told: AbortSignal[] = [];
  const work = withLimit({ ms: 60_000, signal: stop.signal, ...asked }, (ended) => {
    told.push(ended);
    return never();
  });
  stop.abort(new Error("interrupted"));
  await expect(work).rejects.toThrow("interrupted");
  expect(told[0]?.aborted).toBe(true);
  const failing = withLimit({ ms: 60_000, signal: new AbortController().signal, ...asked }, async () => {
    throw new Error("its own");
  });
  await expect(failing).rejects.toThrow("its own");
});

test("a signal within a time is aborted by whoever aborts first, with that reason", async () => {
  const stop = new AbortController();
  const soon = within(stop.signal, 20, new Error("late"));
  const interrupted = within(stop.signal, 60_000, new Error("late"));
  await expect(abortable(new Promise(() => {}), soon)).rejects.toThrow("late");
  stop.abort(new Error("interrupted"));
  expect(interrupted.reason).toEqual(new Error("interrupted"));
  expect(within(stop.signal, 60_000, new Error("late")).reason).toEqual(new Error("interrupted"));
});
