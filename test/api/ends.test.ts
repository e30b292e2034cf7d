import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { endWith } from "../../server/api/ends.ts";

test("thousands that end with one signal cost it one listener, and none once nobody waits", () => {
  const { signal } = new AbortController();
  const stays = Array.from({ length: 1000 }, () => endWith(signal, () => {}));
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  for (const stay of stays) stay();
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

test("everybody who still waits is told, and who comes later, too", () => {
  const controller = new AbortController();
  const told: string[] = [];
  const stay = endWith(controller.signal, () => told.push("gone before"));
  endWith(controller.signal, () => told.push("waits"));
  stay();
  controller.abort();
  endWith(controller.signal, () => told.push("late"));
  expect(told).toEqual(["waits", "late"]);
});
