import { setTimeout as sleep } from "node:timers/promises";

/** Asks again and again until the answer is the one waited for, and returns it. Gives up after 30 s, which fails the test. */
export async function until<T>(what: string, probe: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const value = await probe();
    if (wanted(value)) return value;
    if (Date.now() > deadline) throw new Error(`${what} did not come; last seen: ${JSON.stringify(value)}`);
    await sleep(10);
  }
}
