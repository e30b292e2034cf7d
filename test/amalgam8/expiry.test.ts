// When instances expire, with several servers on one store.
import { expect, test } from "vitest";
import { type Instance, readRegistration } from "../../server/doors/amalgam8/instance.ts";
import { Registry } from "../../server/doors/amalgam8/registry.ts";
import type { DocumentChange, Documents, DocumentWrite } from "../../server/store/documents.ts";
import { instance } from "./a8.ts";

/** Documents in memory, told to all followers. */
class Memory implements Documents {
  readonly #documents = new Map<string, DocumentChange>();
  readonly #followers: ((changes: readonly DocumentChange[]) => void)[] = [];
  #version = 0;
  writes = 0;
  /** Whether whatever is written fails. */
  isDown = false;

  async follow(onChange: (changes: readonly DocumentChange[]) => void): Promise<void> {
    this.#followers.push(onChange);
    onChange([...this.#documents.values()]);
  }

  async write(writes: readonly DocumentWrite[]): Promise<(number | undefined)[]> {
    if (this.isDown) throw new Error("the store is away");
    this.writes++;
    return writes.map(({ id, text, version }) => {
      if (version !== undefined && version !== (this.#documents.get(id)?.version ?? 0)) return undefined;
      const change: DocumentChange = { id, version: ++this.#version, ...(text !== undefined && { text }) };
      if (text === undefined) this.#documents.delete(id);
      else this.#documents.set(id, change);
      for (const follower of this.#followers) follower([change]);
      return change.version;
    });
  }
}

/** A machine's clocks, the wall's of which may be wrong. */
class Clocks {
  now = 1_000_000;
  off = 0;
  steady = () => this.now;
  wall = () => 1_700_000_000_000 + this.now + this.off;
}

async function start(documents: Memory, clocks: Clocks) {
  const registry = new Registry(documents, clocks);
  const changed: string[] = [];
  registry.onChange = (namespace) => changed.push(namespace);
  await documents.follow((changes) => registry.take(changes));
  registry.loaded();
  return { registry, changed, clocks, ids: () => [...registry.instances("default")].map(({ id }) => id) };
}

const wanted = (clocks: Clocks, more: object = {}): Instance =>
  readRegistration(instance("a", "b", { ttl: 10, tags: ["v1"], ...more }), clocks.wall());

/** Heartbeats are gathered, so that their answers come a moment later. */
const beat = (registry: Registry, id: string) => registry.renew("default", id);

test("an instance is gone when its time is over, and a heartbeat gives it that time again", async () => {
  const documents = new Memory();
  const { registry, clocks, ids } = await start(documents, new Clocks());
  const own = wanted(clocks);
  await registry.register("default", own);
  clocks.now += 9999;
  expect([await registry.expire(), ids()]).toEqual([0, [own.id]]);
  expect(await beat(registry, own.id)).toBe(true);
  clocks.now += 9999;
  expect([await registry.expire(), ids()]).toEqual([0, [own.id]]);
  expect(registry.isThere("default", "a", ["v1"])).toBe(true);
  clocks.now += 1;
  // From this moment on it is nowhere, and its heartbeats come too late.
  expect([ids(), registry.isThere("default", "a", ["v1"])]).toEqual([[], false]);
  expect(await beat(registry, own.id)).toBe(false);
  expect([await registry.expire(), registry.size]).toEqual([1, 0]);
  expect(await registry.expire()).toBe(0);
});

test("what is out of service stays for good", async () => {
  const { registry, clocks, ids } = await start(new Memory(), new Clocks());
  const own = wanted(clocks, { status: "OUT_OF_SERVICE" });
  await registry.register("default", own);
  clocks.now += 1e9;
  expect([await registry.expire(), ids()]).toEqual([0, [own.id]]);
});

test("each server knows of heartbeats that another one has heard, however their clocks differ", async () => {
  const documents = new Memory();
  const clocks = new Clocks();
  const late = Object.assign(new Clocks(), { off: 3_600_000 });
  const early = Object.assign(new Clocks(), { off: -3_600_000 });
  const [one, two, three] = [
    await start(documents, clocks),
    await start(documents, late),
    await start(documents, early),
  ];
  const pass = (ms: number) => {
    for (const each of [clocks, late, early]) each.now += ms;
  };
  const own = wanted(clocks);
  await one.registry.register("default", own);
  pass(9000);
  expect(await beat(two.registry, own.id)).toBe(true);
  pass(9900);
  for (const { registry, ids } of [one, two, three]) expect([await registry.expire(), ids()]).toEqual([0, [own.id]]);
  // The one that has heard it is the first to let go, and the others follow.
  pass(100);
  expect([await one.registry.expire(), await three.registry.expire()]).toEqual([0, 0]);
  expect([one.ids(), three.ids(), two.ids()]).toEqual([[own.id], [own.id], []]);
  expect(await two.registry.expire()).toBe(1);
  expect([one.ids(), three.ids()]).toEqual([[], []]);
});

test("an instance whose server is away is let go by another one, less than a second later", async () => {
  const documents = new Memory();
  const [clocks, others] = [new Clocks(), new Clocks()];
  const [one, two] = [await start(documents, clocks), await start(documents, others)];
  const own = wanted(clocks);
  await one.registry.register("default", own);
  others.now += 10_600;
  expect([two.ids(), await two.registry.expire()]).toEqual([[], 1]);
});

test("a server that starts goes by the last heartbeat, and one that can't write tries again", async () => {
  const documents = new Memory();
  const { registry, clocks } = await start(documents, new Clocks());
  const own = wanted(clocks);
  await registry.register("default", own);
  clocks.now += 8000;
  const again = await start(documents, clocks);
  expect(again.ids()).toEqual([own.id]);
  clocks.now += 2000;
  documents.isDown = true;
  await expect(again.registry.expire()).rejects.toThrow("away");
  expect(again.ids()).toEqual([]);
  documents.isDown = false;
  expect(await again.registry.expire()).toBe(1);
  expect((await start(documents, clocks)).registry.isThere("default", "a", ["v1"])).toBe(false);
});

test("many heartbeats at one time are one write, and change nothing for routes", async () => {
  const documents = new Memory();
  const { registry, changed, clocks } = await start(documents, new Clocks());
  const all = Array.from({ length: 1000 }, (_, at) => wanted(clocks, { endpoint: { type: "tcp", value: `h${at}` } }));
  for (const one of all) await registry.register("default", one);
  const [writes, changes] = [documents.writes, changed.length];
  const beats = all.flatMap(({ id }) => [beat(registry, id), beat(registry, id)]);
  expect(new Set(await Promise.all(beats))).toEqual(new Set([true]));
  expect([documents.writes - writes, changed.length - changes]).toEqual([1, 0]);
  expect(await Promise.all([beat(registry, all[0]?.id ?? ""), beat(registry, "nobody")])).toEqual([true, false]);
});

test("namespaces know nothing of each other", async () => {
  const { registry, changed, clocks, ids } = await start(new Memory(), new Clocks());
  const own = wanted(clocks);
  await registry.register("team-a", own);
  expect([ids(), registry.ofService("default", "a"), changed]).toEqual([[], [], ["team-a"]]);
  expect([await registry.deregister("default", own.id), await beat(registry, own.id)]).toEqual([false, false]);
  expect([...registry.instances("team-a")]).toHaveLength(1);
  expect(await registry.deregister("team-a", own.id)).toBe(true);
  expect([registry.isThere("team-a", "a", []), registry.isThere("default", "a", [])]).toEqual([false, true]);
});
