import fc from "fast-check";
import { expect, test } from "vitest";
import { Ordered } from "../../server/state/ordered.ts";
import { check } from "../property.ts";

type Item = { id: number; value: number };
const compare = (a: Item, b: Item) => a.id - b.id;

test("an ordered list does what a sorted array does, whatever is put in and taken out", () => {
  const steps = fc.array(fc.record({ id: fc.integer({ min: 0, max: 4000 }), remove: fc.boolean() }), {
    maxLength: 9000,
    size: "max",
  });
  check(
    [steps, fc.integer({ min: -1, max: 4001 })],
    (made, start) => {
      const ordered = new Ordered<Item>(compare);
      const reference = new Map<number, Item>();
      for (const [value, { id, remove }] of made.entries()) {
        const item = { id, value };
        const before = reference.get(id);
        expect(remove ? ordered.remove(item) : ordered.put(item)).toBe(before);
        if (remove) reference.delete(id);
        else reference.set(id, item);
      }
      const sorted = [...reference.values()].sort(compare);
      expect([...ordered]).toEqual(sorted);
      expect(ordered.size).toBe(sorted.length);
      expect(ordered.first()).toBe(sorted[0]);
      expect([...ordered.after({ id: start, value: 0 })]).toEqual(sorted.filter(({ id }) => id > start));
      expect(ordered.get({ id: start, value: 0 })).toBe(reference.get(start));
    },
    30,
  );
});

test("what is put in in order fills its pieces", () => {
  const ordered = new Ordered<Item>(compare);
  for (let id = 0; id < 100_000; id++) ordered.put({ id, value: id });
  expect([...ordered].map(({ id }) => id)).toEqual(Array.from({ length: 100_000 }, (_, id) => id));
});
