import { setImmediate as turn } from "node:timers/promises";
import { onTestFinished, vi } from "vitest";
import type { StoredRoute } from "../../routes/model/live-route.ts";
import { decodePage, type Page } from "../../routes/table/page.ts";
import { type Answer, Feed, type FeedOptions } from "../../server/feed/feed.ts";
import { State } from "../../server/state/state.ts";
import type { ServiceChange } from "../../server/store/store.ts";
import { tableOf } from "../table/tables.ts";
import { ReferenceClient } from "./reference-client.ts";

export type Own = Omit<StoredRoute, "revision">;

/** A route table that changes, as a store would tell it. */
export class Routes {
  readonly state: State;
  readonly all = new Map<string, Own>();
  #revision: number;

  constructor(routes: readonly Own[] = [], { history = 7n, revision = 1 } = {}) {
    this.#revision = revision;
    const stored = routes.map((route) => ({ ...route, revision }));
    this.state = new State(history, { revision, routes: stored, since: revision, changes: [] });
    for (const route of routes) this.all.set(route.id, route);
  }

  change(set: readonly Own[], gone: readonly string[] = []): void {
    const revision = ++this.#revision;
    this.state.apply({ revision, set: set.map((route) => ({ ...route, revision })), delete: [...gone] });
    for (const id of gone) this.all.delete(id);
    for (const route of set) this.all.set(route.id, route);
  }

  changeService(...services: ServiceChange[]): void {
    this.state.apply({ revision: ++this.#revision, set: [], delete: [], services });
  }
}

export const keyRoute = (key: string, to = `to-${key}`): Own => ({ id: `id-${key}`, service: "reviews", key, to });

export const keyRoutes = (count: number, start = "k"): Own[] =>
  Array.from({ length: count }, (_, i) => keyRoute(`${start}${i}`));

export function feedOf(routes: Routes, options: FeedOptions = {}): Feed {
  return new Feed(routes.state, options);
}

/** The answer to a poll, once there is one; the signal ends it. */
export function ask(feed: Feed, query: URLSearchParams, signal?: AbortSignal, address?: string): Promise<Answer> {
  return new Promise((answered, failed) => {
    const poll = feed.ask(query, { answered, failed }, address);
    const leave = () => {
      poll?.end(undefined);
      failed(signal?.reason);
    };
    if (signal?.aborted) leave();
    else signal?.addEventListener("abort", leave);
  });
}

/** One poll that is answered at once, applied. */
export async function poll(feed: Feed, client: ReferenceClient): Promise<void> {
  const answer = await ask(feed, client.query());
  if (answer.status !== 200) throw new Error(new TextDecoder().decode(answer.body));
  client.apply(answer.body);
}

/** Polls until the client has the whole table; the table must not change meanwhile. */
export async function settle(feed: Feed, client: ReferenceClient, most = 2000): Promise<void> {
  for (let polls = 0; polls < most; polls++) {
    await poll(feed, client);
    if (client.isConsistent && client.isServing) return;
  }
  throw new Error(`not consistent after ${most} polls`);
}

/** What a client must hold of these routes, where services are called as clusters are. */
export function expected(routes: Iterable<Own>) {
  const named = [...routes].map((own) => ({ id: own.id, route: { ...own, from: own.service ?? own.from } as never }));
  const table = tableOf(named);
  const buckets = table.buckets.map(({ bytes }, index) => [index, Buffer.from(bytes).toString("hex")] as const);
  return {
    buckets,
    rules: Buffer.from(table.rules).toString("hex"),
    digest: table.digest,
    count: table.buckets.length,
  };
}

export function held({ table: { buckets, rules, digest, count } }: ReferenceClient) {
  return {
    buckets: [...buckets]
      .sort(([a], [b]) => a - b)
      .map(([index, bytes]) => [index, Buffer.from(bytes).toString("hex")]),
    rules: Buffer.from(rules).toString("hex"),
    digest,
    count,
  };
}

export function bed(routes: readonly Own[], options?: FeedOptions): { routes: Routes; feed: Feed } {
  const own = new Routes(routes);
  const feed = feedOf(own, options);
  onTestFinished(() => feed.close());
  return { routes: own, feed };
}

export async function clientOf(feed: Feed, scope = ""): Promise<ReferenceClient> {
  const client = new ReferenceClient(scope);
  await settle(feed, client);
  return client;
}

export function pageOf(answer: Answer): Page {
  const page = decodePage(answer.body);
  if (answer.status !== 200 || page instanceof Error) throw new Error(new TextDecoder().decode(answer.body));
  return page;
}

export const errorOf = (answer: Answer) => JSON.parse(new TextDecoder().decode(answer.body)).error;

/** What the promise has come to, without waiting for it. */
export async function stateOf(promise: Promise<unknown>): Promise<"waiting" | "done"> {
  for (let i = 0; i < 5; i++) await turn();
  return Promise.race([promise.then(() => "done" as const), Promise.resolve("waiting" as const)]);
}

export const fakeTimers = () => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
