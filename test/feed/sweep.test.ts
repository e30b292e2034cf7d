// A reference client that polls at any moment, while routes come and go between its pages.
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkAsync } from "../property.ts";
import { expected, feedOf, held, keyRoute, keyRoutes, type Own, poll, Routes, settle } from "./bed.ts";
import { ReferenceClient } from "./reference-client.ts";

type Step =
  | { do: "poll" }
  | { do: "change"; set: Own[]; gone: string[] }
  | { do: "grow" | "shrink"; by: number }
  | { do: "restart" };

const number = fc.nat(400);
const rule: fc.Arbitrary<Own> = fc.record({
  id: fc.constantFrom("rule-a", "rule-b"),
  service: fc.constant("reviews"),
  when: fc.constant([{ cookie: "user", exact: "a" }]),
  to: fc.constantFrom("x", "y"),
});
const changed = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(number, fc.constantFrom("one", "two")).map(([i, to]) => keyRoute(`k${i}`, to)) },
  rule,
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Step>({ do: "poll" }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("change" as const),
      set: fc.uniqueArray(changed, { maxLength: 8, selector: ({ id }) => id }),
      gone: fc.array(
        fc.oneof(
          number.map((i) => `id-k${i}`),
          fc.constant("rule-a"),
        ),
        { maxLength: 8 },
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("grow" as const, "shrink" as const),
      by: fc.integer({ min: 20, max: 300 }),
    }),
  },
);

interface Run {
  /** Routes that there are at first, beside the stable ones. */
  first: number;
  pageBytes: number;
  /** Whether the client has the whole table before the steps. */
  hasTable: boolean;
}

const STABLE = keyRoutes(80, "stable");

/** Does the steps, and sees to it that after the first table each route that never changes is found, whatever else is going on. */
async function live(steps: readonly Step[], { first, pageBytes, hasTable }: Run): Promise<void> {
  const routes = new Routes([...STABLE, ...keyRoutes(first, "first")]);
  let feed = feedOf(routes, { pageBytes });
  const client = new ReferenceClient();
  if (hasTable) await settle(feed, client);
  let grown = 0;
  const lookAround = () => {
    const lost = STABLE.filter(({ key = "", to }) => client.isServing && client.lookUp(key).join() !== to);
    expect(lost.map(({ key }) => key)).toEqual([]);
  };
  for (const one of steps) {
    if (one.do === "poll") await poll(feed, client);
    else if (one.do === "change") {
      const ids = new Set(one.set.map(({ id }) => id));
      routes.change(
        one.set,
        one.gone.filter((id) => !ids.has(id)),
      );
    } else if (one.do === "grow") {
      routes.change(keyRoutes(one.by, `grown${grown++}-`));
    } else if (one.do === "shrink") {
      const ids = [...routes.all.keys()].filter((id) => !id.startsWith("id-stable")).slice(0, one.by);
      routes.change([], ids);
    } else {
      feed.close();
      feed = feedOf(routes, { pageBytes });
    }
    lookAround();
  }
  await settle(feed, client);
  lookAround();
  feed.close();
  expect(held(client)).toEqual(expected(routes.all.values()));
  expect(client.mismatches).toBe(0);
}

const run: fc.Arbitrary<Run> = fc.record({
  first: fc.nat(400),
  pageBytes: fc.constantFrom(1, 1, 1500, 6000, 128 * 1024),
  hasTable: fc.constantFrom(true, true, false),
});

test("the client comes to hold the server's table, and serves all along what did not change", async () => {
  await checkAsync([fc.array(step, { maxLength: 50 }), run], live, 250);
});

test("and so does one whose server begins anew without its past", async () => {
  const restart = fc.constant<Step>({ do: "restart" });
  const steps = fc.array(fc.oneof({ weight: 15, arbitrary: step }, restart), { maxLength: 50 });
  await checkAsync([steps, run], live, 120);
});
