// What a change costs the route server's feed, by the size of the table, and what many waiting polls cost it while routes change.
// In this process, without sockets and without a store: `node bench/feed.ts`.
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import {
  FLAG_LAST,
  LAYOUT,
  PAGE_AT_DIGEST,
  PAGE_AT_FLAGS,
  PAGE_AT_NEXT,
  PAGE_AT_REVISION,
} from "../routes/model/feed.ts";
import type { StoredRoute } from "../routes/model/live-route.ts";
import { type Answer, Feed } from "../server/feed/feed.ts";
import { State } from "../server/state/state.ts";

const HISTORY = 7n;

export type ChangeCost = { routes: number; bytes: number; microseconds: number; compiledIn: number; megabytes: number };
export type PollCost = {
  proxies: number;
  scopes: number;
  changes: number;
  cpu: number;
  answers: number;
  megabytesASecond: number;
};

/** All names have the same length, so that bytes do not depend on the number of routes. */
function routeOf(number: number, services: number, to = "reviews"): StoredRoute {
  const key = `preview-${String(number).padStart(7, "0")}`;
  return { id: `id/${key}`, service: `service-${number % services}`, key, to: `${to}-${key}`, revision: 1 };
}

class Table {
  readonly state: State;
  readonly feed: Feed;
  readonly #routes: number;
  readonly #services: number;
  #revision = 1;

  constructor(routes: number, services: number) {
    this.#routes = routes;
    this.#services = services;
    const all = Array.from({ length: routes }, (_, i) => routeOf(i, services));
    this.state = new State(HISTORY, { revision: 1, routes: all, since: 1, changes: [] });
    this.feed = new Feed(this.state);
  }

  change(): void {
    const revision = ++this.#revision;
    const route = routeOf((revision * 7919) % this.#routes, this.#services, `to-${String(revision).padStart(7, "0")}`);
    this.state.apply({ revision, set: [{ ...route, revision }], delete: [] });
  }
}

/** A proxy as far as the server sees it: it asks for what it does not have, page by page, and holds nothing. */
class Poller {
  readonly #feed: Feed;
  readonly #scope: string;
  #revision = 0;
  #digest = "";
  #sweep: { revision: number; next: number } | undefined;
  answers = 0;
  bytes = 0;

  constructor(feed: Feed, scope: string) {
    this.#feed = feed;
    this.#scope = scope;
  }

  /** Whether it has all that there was. */
  get isWhole(): boolean {
    return this.#digest !== "";
  }

  async poll(): Promise<void> {
    const query = new URLSearchParams({
      scope: this.#scope,
      layout: String(LAYOUT),
      revision: String(this.#revision),
      ...(this.#revision > 0 && { history: HISTORY.toString(16) }),
      ...(this.#digest && { digest: this.#digest }),
      next: String(this.#sweep?.next ?? 0),
      wait: this.#digest ? "20" : "0",
    });
    const answer = await new Promise<Answer>((answered, failed) => this.#feed.ask(query, { answered, failed }));
    if (answer.status !== 200) throw new Error(new TextDecoder().decode(answer.body));
    this.answers++;
    this.bytes += answer.body.length;
    const page = new DataView(answer.body.buffer);
    const isFirst = this.#sweep === undefined;
    const revision = this.#sweep?.revision ?? Number(page.getBigUint64(PAGE_AT_REVISION, true));
    const isLast = (page.getUint8(PAGE_AT_FLAGS) & FLAG_LAST) !== 0;
    this.#sweep = isLast ? undefined : { revision, next: page.getUint32(PAGE_AT_NEXT, true) };
    if (isLast) this.#revision = revision;
    this.#digest = isLast && isFirst ? page.getBigUint64(PAGE_AT_DIGEST, true).toString(16) : "";
  }
}

const cpu = (since?: NodeJS.CpuUsage) => {
  const { user, system } = process.cpuUsage(since);
  return user + system; // microseconds
};

/** One change after the other, each told to one proxy that waits. The sizes take turns, as the machine's speed is not always the same. */
export async function changeCosts(sizes: readonly number[], rounds = 7, changes = 2000): Promise<ChangeCost[]> {
  const tables: { cost: ChangeCost; table: Table; proxy: Poller }[] = [];
  for (const routes of sizes) {
    const table = new Table(routes, 1);
    global.gc?.();
    const before = process.memoryUsage();
    const start = performance.now();
    const proxy = new Poller(table.feed, "");
    await proxy.poll();
    const compiledIn = performance.now() - start;
    global.gc?.();
    const after = process.memoryUsage();
    const megabytes = (after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers) / 2 ** 20;
    while (!proxy.isWhole) await proxy.poll();
    tables.push({
      cost: { routes, bytes: 0, microseconds: Number.POSITIVE_INFINITY, compiledIn, megabytes },
      table,
      proxy,
    });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { cost, table, proxy } of tables) {
      const bytes = proxy.bytes;
      const start = process.cpuUsage();
      for (let i = 0; i < changes; i++) {
        const told = proxy.poll();
        for (let turns = 0; turns < 10; turns++) await undefined;
        table.change();
        await told;
      }
      cost.microseconds = Math.min(cost.microseconds, cpu(start) / changes);
      cost.bytes = (proxy.bytes - bytes) / changes;
    }
  }
  for (const { table } of tables) table.feed.close();
  return tables.map(({ cost }) => cost);
}

/** Proxies that poll without end, so many for each scope, while routes change at a rate. */
export async function pollCost(proxies: number, scopes: number, rate: number, seconds = 10): Promise<PollCost> {
  const table = new Table(10_000, scopes);
  const all = Array.from({ length: proxies }, (_, i) => {
    return new Poller(table.feed, scopes === 1 ? "" : `demo/service-${i % scopes}`);
  });
  let isOver = false;
  const polling = all.map(async (proxy) => {
    while (!isOver) {
      await proxy.poll();
      await sleep(1);
    }
  });
  while (!all.every(({ isWhole }) => isWhole)) await sleep(100);
  const sum = (value: (proxy: Poller) => number) => all.reduce((total, proxy) => total + value(proxy), 0);
  const [answers, bytes] = [sum((proxy) => proxy.answers), sum((proxy) => proxy.bytes)];
  const [start, used] = [performance.now(), process.cpuUsage()];
  let changes = 0;
  for (let time = 0; time < seconds * 1000; time = performance.now() - start) {
    for (; changes < (time * rate) / 1000; changes++) table.change();
    await sleep(1);
  }
  const took = (performance.now() - start) / 1000;
  const cost = {
    ...{ proxies, scopes, changes: changes / took, cpu: cpu(used) / 1e6 / took },
    answers: (sum((proxy) => proxy.answers) - answers) / took,
    megabytesASecond: (sum((proxy) => proxy.bytes) - bytes) / took / 2 ** 20,
  };
  isOver = true;
  table.feed.close();
  await Promise.all(polling);
  return cost;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.table(await changeCosts([1000, 1_000_000]));
  console.table([await pollCost(2000, 100, 1000), await pollCost(2000, 1, 1000)]);
}
