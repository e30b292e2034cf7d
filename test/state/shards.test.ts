import fc from "fast-check";
import { expect, test } from "vitest";
import { Ordered } from "../../server/state/ordered.ts";
import { Shards } from "../../server/state/shards.ts";
import { check } from "../property.ts";

const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.boolean()), { maxLength: 3000 });

test("a map in shards is a map, and what is done to a copy leaves the original as it is", () => {
  check(
    [steps, steps],
    (first, second) => {
      const wanted = new Map<string, number>();
      const shards = new Shards<number>();
      const run = (to: Shards<number>, all: typeof first) => {
        for (const [at, isSet] of all) {
          if (isSet) {
            wanted.set(`n-${at}`, at);
            to.set(`n-${at}`, at);
          } else {
            wanted.delete(`n-${at}`);
            to.delete(`n-${at}`);
          }
        }
      };
      const contents = (of: Shards<number>) =>
        Array.from({ length: 5001 }, (_, at) => [of.get(`n-${at}`), of.has(`n-${at}`)]);
      const expected = () => Array.from({ length: 5001 }, (_, at) => [wanted.get(`n-${at}`), wanted.has(`n-${at}`)]);
      run(shards, first);
      const before = contents(shards);
      expect(before).toEqual(expected());
      const copy = shards.fork({});
      run(copy, second);
      expect(contents(copy)).toEqual(expected());
      expect(contents(shards)).toEqual(before);
    },
    20,
  );
});

test("what is done to a copy of a sorted list leaves the original as it is", () => {
  check(
    [steps, steps],
    (first, second) => {
      const list = new Ordered<number>((a, b) => a - b);
      const wanted = new Set<number>();
      const run = (to: Ordered<number>, all: typeof first) => {
        for (const [at, isPut] of all) {
          if (isPut) wanted.add(at);
          else wanted.delete(at);
          if (isPut) to.put(at);
          else to.remove(at);
        }
      };
      const expected = () => [...wanted].sort((a, b) => a - b);
      run(list, first);
      const before = [...list];
      expect(before).toEqual(expected());
      const copy = list.fork({});
      run(copy, second);
      expect([copy.size, ...copy]).toEqual([wanted.size, ...expected()]);
      expect([...list]).toEqual(before);
    },
    50,
  );
});
