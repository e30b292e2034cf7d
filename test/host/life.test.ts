import fc from "fast-check";
import { expect, test } from "vitest";
import { check } from "../property.ts";
import { Envoy } from "./emulator/envoy.ts";
import type { Slot, Stream } from "./emulator/slot.ts";
import { type Decision, expectedDecision } from "./expected.ts";
import { type Asked, type Configuration, configuration, NOW, request, targets } from "./generate.ts";
import { filterCode, watchCode } from "./module.ts";
import { assertConsistent, decisionOf } from "./observe.ts";

/** A place for the filter, and what it should serve: the configuration that last was right. */
type Place = {
  filter: Slot;
  serves: Configuration | undefined;
  rejected: boolean;
  stands: boolean;
  name: string;
  past: Configuration[];
};

const WORKERS = 2;
const place = fc.nat({ max: 2 });
const worker = fc.nat({ max: WORKERS - 1 });
const step = fc.oneof(
  fc.record({ do: fc.constant("configure" as const), place, table: configuration }),
  fc.record({ do: fc.constant("again" as const), place, from: place }),
  fc.record({
    do: fc.constant("reject" as const),
    place,
    text: fc.constantFrom("{", '{"routes":1}', '{"keys":["moon"]}', "[]"),
  }),
  fc.record({
    do: fc.constant("refuse" as const),
    place,
    text: fc.constantFrom('{"strict":true,', '{"routes":1,"strict": true}'),
  }),
  { weight: 10, arbitrary: fc.record({ do: fc.constant("ask" as const), place, worker, asked: request }) },
  fc.record({ do: fc.constant("open" as const), place, worker, asked: request }),
  fc.record({ do: fc.constant("end" as const), which: fc.nat({ max: 5 }) }),
  fc.record({ do: fc.constant("tick" as const) }),
);

test("through any life of three filters on one proxy each answers from its own last good configuration", () => {
  const asked = { all: 0, routed: 0 };
  check(
    [fc.array(step, { minLength: 20, maxLength: 80, size: "max" })],
    (steps) => {
      const envoy = new Envoy(filterCode, { workers: WORKERS, watch: watchCode });
      for (const name of targets) envoy.process.clusters.set(name, true);
      const serve = (own: Place, table: Configuration) => {
        expect(own.filter.configure(table)).toBe(true);
        own.past.push(table);
        Object.assign(own, { serves: table, rejected: false, stands: true });
      };
      const places: Place[] = ["keyway", "keyway", "keyway-other"].map((name) => ({
        filter: envoy.filter(name),
        serves: undefined,
        rejected: false,
        stands: false,
        name,
        past: [],
      }));
      const streams: Stream[] = [];
      const at = (i: number) => places[i] as Place;

      const namesakes = (own: Place) =>
        places.filter((other) => other !== own && other.name === own.name && other.serves);
      // Which configuration a rejected one replaced is known for sure only once the replaced one is gone. Until then a filter
      // whose namesake serves another table stays with the baseline; one that never had a table may take one of its
      // namesake's. A root context that a stream keeps alive comes back, unasked, with the very text that it came with.
      const possible = (own: Place, request: Asked): Decision[] => {
        const by = (table: Configuration | undefined): Decision =>
          table ? expectedDecision(table, request, NOW) : { outcome: "no_key", key: null, to: null };
        if (!own.rejected) return [by(own.serves)];
        const others = namesakes(own);
        const unknown = streams.length > 0 || others.length > 0;
        const pasts = [...(streams.length > 0 ? [own] : []), ...(own.serves ? [] : others)].flatMap(({ past }) => past);
        return [own.serves, ...(unknown ? [undefined] : []), ...pasts].map(by);
      };
      const assertAnswer = (own: Place, request: Asked, passed: Stream["outcome"]) => {
        const answer = decisionOf(passed);
        expect(possible(own, request)).toContainEqual(answer);
        assertConsistent(request.headers, passed, request.cluster);
        asked.all++;
        if (answer.outcome === "routed") asked.routed++;
      };

      for (const own of steps) {
        const before = own.do === "again" ? at(own.from).serves : undefined;
        if (own.do === "configure") serve(at(own.place), own.table);
        else if (own.do === "again" && before) serve(at(own.place), before);
        else if (own.do === "reject") {
          // A text of each place's own: with the same one, namesakes would share a root context.
          expect(at(own.place).filter.configure(own.text + " ".repeat(own.place))).toBe(true);
          Object.assign(at(own.place), { rejected: true, stands: true });
        } else if (own.do === "refuse") expect(at(own.place).filter.configure(own.text)).toBe(false);
        else if (own.do === "ask" && at(own.place).stands) {
          const passed = at(own.place).filter.request({ ...own.asked, worker: own.worker });
          assertAnswer(at(own.place), own.asked, passed);
        } else if (own.do === "open" && at(own.place).stands) {
          const stream = at(own.place).filter.open({ ...own.asked, worker: own.worker });
          assertAnswer(at(own.place), own.asked, stream.outcome);
          streams.push(stream);
        } else if (own.do === "end") streams.splice(own.which, 1)[0]?.end();
        else if (own.do === "tick") envoy.tick();
      }
    },
    150,
  );
  expect(asked.routed).toBeGreaterThan(asked.all / 20);
});
