import { expect, test } from "vitest";
import { openLog } from "../../server/log.ts";

test("the first line is written at once, those that follow together, and none is lost at the end", async () => {
  const written: string[] = [];
  const { log, close } = openLog("info", { write: (text: string) => written.push(text) });
  const counts = () => written.map((text) => text.trim().split("\n").length);
  log.info("one");
  expect(counts()).toEqual([1]);
  for (let i = 0; i < 5; i++) log.info("more");
  expect(counts()).toEqual([1]);
  await expect.poll(counts).toEqual([1, 5]);
  log.info("one");
  log.info("last");
  close();
  expect(counts()).toEqual([1, 5, 1, 1]);
  expect(written.join("")).toMatch(/"msg":"last"\}\n$/);
});
