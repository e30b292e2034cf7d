import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { StoredRoute } from "../../routes/model/live-route.ts";
import { startExpiry } from "../../server/expiry.ts";
import { State } from "../../server/state/state.ts";
import { Conflict, type Store, type Transaction } from "../../server/store/store.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const START = Date.parse("2030-01-01T00:00:00Z");

/** A state whose routes expire so many seconds after the start, and two clocks that go on together until one is set. */
function bed(expiry: Record<string, number>) {
  const routes = Object.entries(expiry).map(([id, seconds]): StoredRoute => {
    const expires = `${new Date(START + seconds * 1000).toISOString().slice(0, 19)}Z`;
    return { id, service: "reviews", key: id, to: "t", expires, revision: 1 };
  });
  const state = new State(1n, { revision: 1, routes, since: 1, changes: [] });
  const made: Transaction[] = [];
  const told: unknown[] = [];
  let wallOffset = 0;
  let steady = 0;
  const store = {
    async commit(transaction: Transaction) {
      made.push(transaction);
      for (const { id, revision } of transaction.require ?? []) {
        if (state.get(id)?.revision !== revision) throw new Conflict(id, "changed");
      }
      state.apply({ revision: state.revision + 1, set: [], delete: transaction.delete });
      return { revision: state.revision, set: [] };
    },
  } as unknown as Store;
  const clock = { wall: () => START + steady + wallOffset, steady: () => steady };
  const end = startExpiry(
    state,
    store,
    {
      expired: (count) => told.push(count),
      jumped: (ms) => told.push(`jump ${ms / 1000} s`),
      failed: (error) => told.push(error),
    },
    { clock },
  );
  return {
    state,
    made,
    told,
    end,
    /** Sets the wall clock. */
    jump: (seconds: number) => {
      wallOffset += seconds * 1000;
    },
    /** Lets time go by, a quarter of a second at a time. */
    async pass(seconds: number) {
      for (let at = 0; at < seconds * 4; at++) {
        steady += 250;
        await vi.advanceTimersByTimeAsync(250);
      }
    },
    ids: () => [...state.routes()].map(({ id }) => id),
  };
}

test("routes go when their time has come, and those of a downtime at the start", async () => {
  const { pass, ids, told } = bed({ past: -3600, soon: 10, later: 3600 });
  await pass(0.25);
  expect(ids()).toEqual(["later", "soon"]);
  await pass(9);
  expect(ids()).toEqual(["later", "soon"]);
  await pass(1);
  expect(ids()).toEqual(["later"]);
  await pass(3600);
  expect(ids()).toEqual([]);
  expect(told).toEqual([1, 1, 1]);
});

test("a clock that jumps ahead and back again deletes nothing", async () => {
  const { pass, jump, ids, told } = bed({ a: 3600, b: 7200 });
  await pass(1);
  jump(86_400);
  await pass(30);
  jump(-86_400);
  await pass(120);
  expect(ids()).toEqual(["a", "b"]);
  expect(told).toEqual(["jump 86400 s", "jump -86400 s"]);
  await pass(3600);
  expect(ids()).toEqual(["b"]);
});

test("a clock that was set right for good is believed after a while", async () => {
  const { pass, jump, ids } = bed({ a: 3600 });
  await pass(1);
  jump(86_400);
  await pass(50);
  expect(ids()).toEqual(["a"]);
  await pass(20);
  expect(ids()).toEqual([]);
});

test("a clock that is set back lets routes live for longer, and no longer than it says", async () => {
  const { pass, jump, ids } = bed({ a: 120 });
  await pass(1);
  jump(-3600);
  await pass(3700);
  expect(ids()).toEqual(["a"]);
  await pass(30);
  expect(ids()).toEqual([]);
});

test("a clock that is set right bit by bit is believed all the while", async () => {
  const { pass, jump, ids, told } = bed({ a: 100 });
  for (let at = 0; at < 50; at++) {
    await pass(1);
    jump(1);
  }
  await pass(1);
  expect(ids()).toEqual([]);
  expect(told).toEqual([1]);
});

test("many at once go a thousand at a time", async () => {
  const { pass, ids, made } = bed(Object.fromEntries(Array.from({ length: 2500 }, (_, at) => [`r-${at}`, 5])));
  await pass(8);
  expect(ids()).toEqual([]);
  expect(made.map(({ delete: gone }) => gone.length)).toEqual([1000, 1000, 500]);
});

test("a route that is renewed meanwhile stays, and the others go", async () => {
  const { state, pass, ids, end } = bed({ a: 1, b: 1 });
  const a = state.get("a") as StoredRoute;
  const original = state.expiring.bind(state);
  let once = true;
  state.expiring = () => {
    const due = [...original()];
    if (once && due.length === 2) {
      once = false;
      // The renewal comes after the look and before the transaction.
      state.apply({ revision: 5, set: [{ ...a, expires: "2031-01-01T00:00:00Z", revision: 5 }], delete: [] });
    }
    return due;
  };
  await pass(3);
  expect(ids()).toEqual(["a"]);
  end();
});
