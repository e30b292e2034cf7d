import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { type Ending, endWith, stay } from "../../server/api/ends.ts";

test("thousands that end with one signal cost it one listener, and none once nobody waits", () => {
  const { signal } = new AbortController();
  const all = Array.from({ length: 1000 }, () => ({ revoked: () => {} }));
  for (const one of all) endWith(signal, one);
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  for (const one of all) stay(signal, one);
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

test("everybody who still waits is told, and who comes later, too", () => {
  const controller = new AbortController();
  const told: string[] = [];
  const [before, waits, late] = ["gone before", "waits", "late"].map((what) => ({ revoked: () => told.push(what) }));
  endWith(controller.signal, before as Ending);
  endWith(controller.signal, waits as Ending);
  stay(controller.signal, before as Ending);
  controller.abort();
  endWith(controller.signal, late as Ending);
  expect(told).toEqual(["waits", "late"]);
});
