// What every store has to hold. A file of tests calls it with a way to open stores on one backend.
import { expect, onTestFinished, test } from "vitest";
import { inOrder, type LiveRoute, type StoredRoute } from "../../routes/model/live-route.ts";
import { type Change, Conflict, type Store, type Transaction, Unavailable } from "../../server/store/store.ts";

/** The same backend, empty at first, for all stores that it opens. */
export type Backend = () => Promise<Store> | Store;

export const route = (id: string, more: Partial<LiveRoute> = {}): LiveRoute => ({
  id,
  service: "reviews",
  key: id.replace(/[^a-z0-9-]/g, "-"),
  to: "t",
  ...more,
});

export async function follow(open: Backend) {
  const store = await open();
  onTestFinished(() => store.close());
  const table = new Map<string, StoredRoute>();
  const changes: Change[] = [];
  const loaded = await store.start((change) => {
    expect(change.revision).toBeGreaterThan(changes.at(-1)?.revision ?? loaded.revision);
    changes.push(change);
    for (const one of change.set) table.set(one.id, one);
    for (const id of change.delete) {
      expect(table.has(id)).toBe(true);
      table.delete(id);
    }
  }, new AbortController().signal);
  for (const one of loaded.routes) table.set(one.id, one);
  const commit = (transaction: Partial<Transaction>) => store.commit({ set: [], delete: [], ...transaction });
  const contents = () => [...table.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return { store, loaded, changes, table, commit, contents };
}

/** `backend` makes an empty one for each test; `tellsWhole` says that a transaction is told as one change. */
export function storeContract(backend: () => Promise<Backend> | Backend, { tellsWhole = true } = {}): void {
  test("what is written is told once it is durable, and there after a new start", async () => {
    const open = await backend();
    const first = await follow(open);
    const { revision, set } = await first.commit({ set: [route("a"), route("b")] });
    expect(first.contents().map(({ id, revision: own }) => [id, own])).toEqual([
      ["a", set[0]?.revision],
      ["b", set[1]?.revision],
    ]);
    const again = await first.commit({
      set: [route("a", { to: "u", expires: "2100-01-01T00:00:00Z" })],
      delete: ["b", "nobody"],
    });
    expect(again.revision).toBeGreaterThan(revision);
    expect(again.set).toEqual([{ revision: first.table.get("a")?.revision, created: false }]);
    await first.store.close();
    const second = await follow(open);
    expect(second.contents()).toEqual(first.contents());
    expect(second.loaded.revision).toBeGreaterThanOrEqual(again.revision);
    expect(second.store.history).toBe(first.store.history);
  });

  test("what is there already keeps its revision and is no change", async () => {
    const { commit, changes } = await follow(await backend());
    const { revision } = await commit({ set: [route("a", { labels: { x: "1", y: "2" } })] });
    const same = { labels: { y: "2", x: "1" }, to: "t", key: "a", service: "reviews", id: "a" };
    expect((await commit({ set: [inOrder(same)] })).set).toEqual([{ revision, created: false }]);
    await commit({ delete: ["nobody"] });
    expect(changes.length).toBe(1);
  });

  test("a transaction whose requirement does not hold leaves nothing behind", async () => {
    const { commit, contents } = await follow(await backend());
    const { revision } = await commit({ set: [route("a")], require: [{ id: "a", absent: true }] });
    const refused: Transaction["require"][] = [
      [{ id: "a", absent: true }],
      [{ id: "a", revision: revision + 1 }],
      [{ id: "b", present: true }],
      [{ id: "b", revision }],
    ];
    for (const require of refused) {
      const attempt = commit({ set: [route("c")], delete: ["a"], ...(require && { require }) });
      await expect(attempt).rejects.toThrow(Conflict);
    }
    expect(contents().map(({ id }) => id)).toEqual(["a"]);
    await commit({ delete: ["a"], require: [{ id: "a", revision }] });
    expect(contents()).toEqual([]);
  });

  test("transactions that are handed over together happen one after the other", async () => {
    const { commit, contents } = await follow(await backend());
    const outcomes = await Promise.allSettled([
      commit({ set: [route("a")], require: [{ id: "a", absent: true }] }),
      commit({ set: [route("b"), route("a")], require: [{ id: "a", absent: true }] }),
      commit({ set: [route("c")], delete: ["a"], require: [{ id: "a", present: true }] }),
      commit({ set: [route("d")], require: [{ id: "a", present: true }] }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "rejected"]);
    expect(contents().map(({ id }) => id)).toEqual(["c"]);
  });

  test("two servers see each other's transactions, in order and whole", async () => {
    const open = await backend();
    const [a, b] = [await follow(open), await follow(open)];
    expect(b.store.history).toBe(a.store.history);
    for (let at = 0; at < 20; at++) {
      await Promise.all([
        a.commit({ set: [route(`a-${at}`), route(`both`, { to: `a-${at}` })] }),
        b.commit({ set: [route(`b-${at}`), route(`both`, { to: `b-${at}` })] }),
      ]);
    }
    await a.commit({ delete: ["b-3"] });
    await expect.poll(() => [a.table.size, b.table.size]).toEqual([40, 40]);
    await expect.poll(() => b.contents()).toEqual(a.contents());
  });

  if (tellsWhole)
    test("a transaction of thousands of routes is told whole", async () => {
      const open = await backend();
      const [a, b] = [await follow(open), await follow(open)];
      const many = Array.from({ length: 3000 }, (_, at) => route(`r-${at}`, { labels: { filler: "x".repeat(50) } }));
      const { revision } = await a.commit({ set: many });
      await expect.poll(() => b.table.size, { timeout: 20_000 }).toBe(3000);
      const sizes = b.changes.filter(({ set }) => set.length > 0).map(({ set }) => set.length);
      expect(sizes).toEqual([3000]);
      expect(b.contents()).toEqual(a.contents());
      expect(a.table.get("r-7")?.revision).toBe(revision);
      await b.commit({ set: [route("r-1", { to: "other" })], delete: ["r-0"], require: [{ id: "r-2", revision }] });
      await b.store.close();
      const later = await follow(open);
      expect(later.table.size).toBe(2999);
      expect(later.table.get("r-1")?.to).toBe("other");
      expect(later.table.get("r-5")?.revision).toBe(revision);
      await later.commit({ delete: [...later.table.keys()] });
      await expect.poll(() => a.table.size, { timeout: 20_000 }).toBe(0);
    });
}

/** A backend that is another process, and can be taken away from its stores. */
export interface Bed {
  open: Backend;
  cut: () => Promise<void> | void;
  mend: () => Promise<void> | void;
}

/** What every store has to hold whose backend is another process. `bed` makes an empty one for each test. */
export function outageContract(bed: () => Promise<Bed> | Bed): void {
  test("while the backend is away writes are refused and the routes are there; then all goes on by itself", async () => {
    const { open, cut, mend } = await bed();
    const [a, b] = [await follow(open), await follow(open)];
    await a.commit({ set: [route("a"), route("b")] });
    await expect.poll(() => b.table.size).toBe(2);
    await cut();
    await expect(a.commit({ set: [route("c"), route("d")], delete: ["a"] })).rejects.toThrow(Unavailable);
    await expect(b.commit({ set: [route("e")] })).rejects.toThrow(Unavailable);
    await expect.poll(() => a.store.trouble(), { timeout: 20_000 }).toBeDefined();
    expect(a.contents().map(({ id }) => id)).toEqual(["a", "b"]);
    await mend();
    const troubles = () => [a, b].map(({ store }) => store.trouble());
    await expect.poll(troubles, { timeout: 20_000 }).toEqual([undefined, undefined]);
    await a.commit({ set: [route("f")] });
    await expect.poll(() => b.contents().map(({ id }) => id), { timeout: 20_000 }).toEqual(["a", "b", "f"]);
    expect((await follow(open)).contents()).toEqual(b.contents());
  });

  test("a store that is closed writes no more", async () => {
    const { open } = await bed();
    const { store, commit } = await follow(open);
    await commit({ set: [route("a")] });
    await store.close();
    await expect(commit({ set: [route("b")] })).rejects.toThrow(Unavailable);
    expect((await follow(open)).contents().map(({ id }) => id)).toEqual(["a"]);
  });
}
