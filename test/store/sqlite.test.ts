import { randomBytes } from "node:crypto";
import { copyFileSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { LiveRoute } from "../../routes/model/live-route.ts";
import { SqliteStore } from "../../server/store/sqlite/store.ts";
import { type Change, Conflict, Damaged, Full, Unavailable, Undecided } from "../../server/store/store.ts";
import { temporaryFolder } from "../api/serve.ts";
import { storeContract } from "./contract.ts";
import { documentsContract } from "./documents-contract.ts";

const route = (id: string, more: Partial<LiveRoute> = {}): LiveRoute => ({
  id,
  service: "reviews",
  key: id,
  to: "t",
  ...more,
});
const never = new AbortController().signal;

async function open(file: string, settings: ConstructorParameters<typeof SqliteStore>[1] = {}) {
  const store = new SqliteStore(file, settings);
  const changes: Change[] = [];
  onTestFinished(() => store.close());
  const loaded = await store.start((change) => changes.push(change), never);
  const set = (...routes: LiveRoute[]) => store.commit({ set: routes, delete: [] });
  return { store, loaded, changes, set };
}

const database = () => join(temporaryFolder(), "keyway.db");

const inFile = () => {
  const file = database();
  return () => new SqliteStore(file);
};

storeContract(inFile);
documentsContract(inFile);

test("what was written is there after a new start, with its revisions and its history", async () => {
  const file = database();
  const first = await open(file);
  await first.set(route("a"), route("b"));
  expect(await first.set(route("a", { to: "u" }))).toEqual({ revision: 2, set: [{ revision: 2, created: false }] });
  await first.store.commit({ set: [], delete: ["b"] });
  await first.store.close();
  const { store, loaded } = await open(file);
  expect(loaded.revision).toBe(3);
  expect(loaded.routes).toEqual([{ ...route("a", { to: "u" }), revision: 2 }]);
  expect(loaded.changes).toEqual([
    { revision: 2, set: loaded.routes, delete: [] },
    { revision: 3, set: [], delete: ["b"] },
  ]);
  expect(loaded.since).toBe(0);
  expect(store.history).toBe(first.store.history);
});

test("what is there already keeps its revision and is no change", async () => {
  const { store, changes, set } = await open(database());
  await set(route("a", { labels: { x: "1", y: "2" } }));
  expect(await set(route("a", { labels: { x: "1", y: "2" } }))).toEqual({
    revision: 1,
    set: [{ revision: 1, created: false }],
  });
  expect(await store.commit({ set: [], delete: ["nobody"] })).toEqual({ revision: 1, set: [] });
  expect(changes.length).toBe(1);
});

/** A store whose writes take until the function is called. */
async function openHeld() {
  const file = database();
  const opened = await open(file);
  const other = new DatabaseSync(file);
  other.exec("BEGIN IMMEDIATE");
  const letGo = () => {
    other.exec("ROLLBACK");
    other.close();
  };
  return { ...opened, letGo };
}

const GIVEN_UP = { message: expect.stringContaining("nothing of this one was kept") };

test("a write that waits for another one is given up with nothing kept, and written where it may wait", async () => {
  const { store, changes, set, letGo } = await openHeld();
  const before = set(route("a"));
  const late = new AbortController();
  const givenUp = store.commit({ set: [route("x")], delete: [] }, late.signal).catch((thrown: unknown) => thrown);
  const patient = store.commit({ set: [route("y")], delete: [] }, new AbortController().signal);
  late.abort();
  const thrown = await givenUp;
  expect([thrown instanceof Unavailable, thrown instanceof Undecided]).toEqual([true, false]);
  expect(thrown).toMatchObject(GIVEN_UP);
  letGo();
  await Promise.all([before, patient]);
  expect(changes.map((change) => change.set.map(({ id }) => id))).toEqual([["a"], ["y"]]);
});

test.each([
  ["while its routes go over", 0],
  ["once all of them wait behind another one", 10],
])("a large write is given up with nothing kept %s", async (_, turns) => {
  const { store, changes, set, letGo } = await openHeld();
  const before = set(route("a"));
  const many = Array.from({ length: 9000 }, (_, n) => route(`r-${n}`));
  const late = new AbortController();
  const large = store.commit({ set: many, delete: [] }, late.signal).catch((thrown: unknown) => thrown);
  for (let turn = 0; turn < turns; turn++) await setImmediate();
  late.abort();
  expect(await large).toMatchObject(GIVEN_UP);
  const next = set(...many.slice(0, 2500));
  letGo();
  await Promise.all([before, next]);
  expect(changes.map((change) => change.set.length)).toEqual([1, 2500]);
});

test("a write that has begun is not given up any more", async () => {
  const { store, changes } = await open(database());
  const late = new AbortController();
  const begun = store.commit({ set: [route("a")], delete: [] }, late.signal);
  late.abort();
  expect(await begun).toEqual({ revision: 1, set: [{ revision: 1, created: true }] });
  expect(changes.length).toBe(1);
});

test("a write whose time was over before it came is not begun", async () => {
  const { store, changes } = await open(database());
  const over = store.commit({ set: [route("a")], delete: [] }, AbortSignal.abort());
  await expect(over).rejects.toThrow("nothing of this one was kept");
  expect(changes).toEqual([]);
});

test("transactions that are queued share a sync, and each has its own outcome", async () => {
  const { store, changes } = await open(database());
  const outcomes = await Promise.allSettled([
    store.commit({ set: [route("a")], delete: [], require: [{ id: "a", absent: true }] }),
    store.commit({ set: [route("b"), route("a")], delete: [], require: [{ id: "a", absent: true }] }),
    store.commit({ set: [route("c")], delete: ["a"], require: [{ id: "a", revision: 1 }] }),
    store.commit({ set: [route("d")], delete: [], require: [{ id: "c", revision: 1 }] }),
    store.commit({ set: [route("e")], delete: [], require: [{ id: "a", present: true }] }),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "rejected", "rejected"]);
  for (const outcome of outcomes) if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(Conflict);
  expect(changes.map(({ revision, set, delete: gone }) => [revision, set.map(({ id }) => id), gone])).toEqual([
    [1, ["a"], []],
    [2, ["c"], ["a"]],
  ]);
});

test("two servers on one file see each other's changes, in order and once", async () => {
  const file = database();
  const [a, b] = [await open(file), await open(file)];
  expect(b.store.history).toBe(a.store.history);
  for (let at = 0; at < 50; at++) {
    await Promise.all([a.set(route(`a-${at}`)), b.set(route(`b-${at}`))]);
    if (at % 10 === 9) await b.store.commit({ set: [], delete: [`a-${at}`] });
  }
  const everything = (changes: Change[]) => {
    const table = new Map<string, number>();
    let last = 0;
    for (const { revision, set, delete: gone } of changes) {
      expect(revision).toBeGreaterThan(last);
      last = revision;
      for (const one of set) table.set(one.id, one.revision);
      for (const id of gone) table.delete(id);
    }
    return [...table].sort();
  };
  const isComplete = () => [a, b].every(({ changes }) => changes.at(-1)?.revision === 105);
  await expect.poll(isComplete).toBe(true);
  expect(everything(a.changes)).toEqual(everything(b.changes));
  expect(everything(a.changes).length).toBe(95);
  const require = [{ id: "a-0", revision: 999 }];
  await expect(b.store.commit({ set: [], delete: ["a-0"], require })).rejects.toThrow(Conflict);
});

test("a deletion is told to a server that was not there, until it is long ago", async () => {
  const file = database();
  const first = await open(file, { keepDeleted: 10 });
  await first.set(route("a"), route("b"));
  await first.store.commit({ set: [], delete: ["a"] });
  for (let at = 0; at < 30; at++) await first.set(route("b", { to: `t-${at}` }));
  await first.store.close();
  const { loaded } = await open(file);
  expect(loaded.since).toBeGreaterThanOrEqual(2);
  expect(loaded.changes).toEqual([
    { revision: 32, set: [{ ...route("b", { to: "t-29" }), revision: 32 }], delete: [] },
  ]);
});

test("an older backup that is put in place begins another history", async () => {
  const file = database();
  const first = await open(file);
  await first.set(route("a"));
  const backup = `${file}.backup`;
  const copy = new DatabaseSync(file);
  copy.exec(`VACUUM INTO '${backup}'`);
  copy.close();
  await first.set(route("b"));
  await first.store.close();
  copyFileSync(backup, file);
  rmSync(`${file}-wal`, { force: true });
  const restored = await open(file);
  expect(restored.loaded.routes.map(({ id }) => id)).toEqual(["a"]);
  expect(restored.store.history).not.toBe(first.store.history);
  await restored.store.close();
  const again = await open(file);
  expect(again.store.history).toBe(restored.store.history);
});

test("a copy on another machine begins another history", async () => {
  const file = database();
  const first = await open(file);
  await first.set(route("a"));
  await first.store.close();
  const copy = database();
  copyFileSync(file, copy);
  expect((await open(copy)).store.history).not.toBe(first.store.history);
});

test.each<[string, (file: string) => void]>([
  ["no database", (file) => writeFileSync(file, randomBytes(8192))],
  ["cut off", (file) => writeFileSync(file, readFileSync(file).subarray(0, 10_000))],
  [
    "overwritten in its middle",
    (file) => {
      const bytes = readFileSync(file);
      for (let at = 4096; at < bytes.length; at += 4096) randomBytes(200).copy(bytes, at);
      writeFileSync(file, bytes);
    },
  ],
  [
    "a route that is no JSON",
    (file) => {
      const copy = new DatabaseSync(file);
      copy.exec("UPDATE route SET text = '{' WHERE id = 'r-5'");
      copy.close();
    },
  ],
  [
    "without its meta",
    (file) => {
      const copy = new DatabaseSync(file);
      copy.exec("DELETE FROM meta WHERE name = 'history'");
      copy.close();
    },
  ],
])("a damaged database is refused with how to restore it: %s", async (_, damage) => {
  const file = database();
  const first = await open(file);
  await first.set(...Array.from({ length: 500 }, (_, at) => route(`r-${at}`)));
  await first.store.close();
  damage(file);
  const error = await open(file).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(Damaged);
  expect(error).toMatchObject({ where: file, next: expect.stringContaining("copy a backup") });
});

test("a database of a newer version, or of another program, is refused and left alone", async () => {
  const newer = database();
  const first = await open(newer);
  await first.store.close();
  const copy = new DatabaseSync(newer);
  copy.exec("PRAGMA user_version = 99");
  copy.close();
  await expect(open(newer)).rejects.toThrow("a newer keyway has written it");
  const foreign = database();
  const other = new DatabaseSync(foreign);
  other.exec("CREATE TABLE cats (name TEXT)");
  other.close();
  const before = statSync(foreign).size;
  await expect(open(foreign)).rejects.toThrow("it is another program's database: it has cats");
  expect(statSync(foreign).size).toBe(before);
});

test("a database that can't be made says why", async () => {
  const error = await open(join(temporaryFolder(), "nowhere", "keyway.db")).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(Unavailable);
  expect(error.next).toContain("check that its folder exists");
});

test("what does not fit any more is refused as a whole, the rest of its group is not, and reading goes on", async () => {
  const file = database();
  const { store, set, changes } = await open(file, { maxPages: 60 });
  await set(route("a"));
  const large = Array.from({ length: 3000 }, (_, at) => route(`large-${at}`, { owner: "o".repeat(200) }));
  const outcomes = await Promise.allSettled([set(route("b")), set(...large), set(route("c"))]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect((outcomes[1] as PromiseRejectedResult).reason).toBeInstanceOf(Full);
  expect(store.trouble()).toBeUndefined();
  expect(changes.flatMap(({ set: all }) => all.map(({ id }) => id))).toEqual(["a", "b", "c"]);
  await store.close();
  expect((await open(file)).loaded.routes.map(({ id }) => id)).toEqual(["a", "b", "c"]);
});

test("a database that is moved away under the server takes no more writes", async () => {
  const file = database();
  const { store, set } = await open(file);
  await set(route("a"));
  renameSync(file, `${file}.moved`);
  await expect(set(route("b"))).rejects.toThrow(Damaged);
  await expect.poll(() => store.trouble()?.message).toContain("was moved");
});

test("another process that writes is waited for, and then the write is refused", async () => {
  const file = database();
  const { set } = await open(file, { busyMs: 200 });
  const other = new DatabaseSync(file);
  other.exec("BEGIN IMMEDIATE");
  const error = await set(route("a")).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(Unavailable);
  expect(error.message).toContain("another process holds the database");
  other.exec("ROLLBACK");
  other.close();
  expect((await set(route("a"))).revision).toBe(1);
});
