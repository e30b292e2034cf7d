// Large transactions, in the process of the test.
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { startServer } from "./serve.ts";

/** Milliseconds of this thread's processor time. */
const cpu = () => {
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage();
  return (user + system) / 1000;
};

/** The longest time, in milliseconds, that this thread worked without giving others a turn, while something was done. */
async function longestTurn(work: () => Promise<void>): Promise<number> {
  let longest = 0;
  let last = cpu();
  const timer = setInterval(() => {
    const now = cpu();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  await work();
  clearInterval(timer);
  return longest;
}

test("a transaction of 150,000 routes leaves others their turn", async () => {
  const { ask } = await startServer();
  function* body() {
    yield '{"set": [';
    for (let at = 0; at < 150_000; at += 100) {
      const some = Array.from({ length: 100 }, (_, one) => ({
        id: `r-${at + one}`,
        service: "reviews",
        key: `k-${at + one}`,
        to: "t",
      }));
      yield (at === 0 ? "" : ",") + some.map((one) => JSON.stringify(one)).join();
    }
    yield "]}";
  }
  const pieces = Readable.from(body()).map((text: string) => Buffer.from(text));
  const longest = await longestTurn(async () => {
    const { body } = await ask("/v1/routes:apply", {
      method: "POST",
      body: Readable.toWeb(pieces),
      duplex: "half",
    } as RequestInit);
    expect(body).toEqual({ revision: 1 });
  });
  // All of it at once takes some seconds, and each of its steps some hundred milliseconds.
  expect(longest).toBeLessThan(250);
  expect((await ask("/readyz")).body).toMatchObject({ routes: 150_000 });
});
