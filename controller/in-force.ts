// How far proxies are with what was changed last.
import { isDeepStrictEqual } from "node:util";
import type { LiveRoute, StoredRoute } from "../routes/model/live-route.ts";
import type { Count } from "./plan/conditions.ts";
import type { LiveTable } from "./surroundings.ts";

/** Of the time that has passed, the part after which to look again; the first looks are this far apart at least. */
const PAUSE = 0.5;
const LEAST_PAUSE_MS = 20;
/** After this time it is looked at only now and then. */
const LIMIT_MS = 30_000;
const LATE_LOOK_MS = 60_000;
/** Where proxies ask as usual they have a change within this time. */
const USUAL_MS = 300;

interface Watched {
  routes: readonly LiveRoute[];
  /** Routes that were taken off, whose proxies are asked, too. */
  gone: readonly LiveRoute[];
  /** That proxies must have; unknown until the live table has the routes as they are. */
  revision: number | undefined;
  since: number;
  isDone: boolean;
  count: Count | undefined;
}

export interface Look {
  count: Count | undefined;
  /** Milliseconds after which to look again; undefined once all proxies have it. */
  again: number | undefined;
  /** Not all proxies have it, but the change is so young that they are expected to have it at a next look. */
  isYoung: boolean;
}

/** What is to be said where nothing is to be looked at. */
export const NO_LOOK: Look = { count: undefined, again: undefined, isYoung: false };

/** Counts the proxies that have the routes of an object as they are, until all have. */
export class InForceWatch {
  readonly #table: LiveTable;
  readonly #watched = new Map<string, Watched>();

  constructor(table: LiveTable) {
    this.#table = table;
  }

  /** Looks now if it is time; asked with other routes than before it begins anew. */
  async look(name: string, routes: readonly LiveRoute[]): Promise<Look> {
    const watched = this.#watch(name, routes);
    if (watched.isDone) return { count: watched.count, again: undefined, isYoung: false };
    watched.revision ??= this.#revisionOf(watched);
    if (watched.revision !== undefined) {
      watched.count = await this.#table.count(watched.revision, [...routes, ...watched.gone]);
      watched.isDone = watched.count !== undefined && watched.count.total > 0 && isInForce(watched.count);
    }
    if (watched.isDone) return { count: watched.count, again: undefined, isYoung: false };
    return { count: watched.count, again: pauseAfter(watched), isYoung: isYoung(watched) };
  }

  /** What was watched last, so that others may wait for it to be gone. */
  routesOf(name: string): readonly LiveRoute[] {
    return this.#watched.get(name)?.routes ?? [];
  }

  forget(name: string): void {
    this.#watched.delete(name);
  }

  #watch(name: string, routes: readonly LiveRoute[]): Watched {
    const before = this.#watched.get(name);
    if (before && isDeepStrictEqual(before.routes, routes)) return before;
    const ids = new Set(routes.map(({ id }) => id));
    const gone = (before?.routes ?? []).filter(({ id }) => !ids.has(id));
    const now = performance.now();
    const watched = { routes, gone, revision: undefined, since: now, isDone: false, count: undefined };
    this.#watched.set(name, watched);
    return watched;
  }

  /** The server follows the cluster by itself, and may be behind. */
  #revisionOf({ routes, gone }: Watched): number | undefined {
    const there = routes.map(({ id }) => this.#table.get(id));
    if (routes.some((route, at) => !isSame(route, there[at]))) return undefined;
    if (gone.some(({ id }) => this.#table.get(id))) return undefined;
    if (gone.length > 0) return this.#table.revision;
    return Math.max(0, ...there.map((one) => one?.revision ?? 0));
  }
}

/** Whether all proxies have it, of servers that have all told of theirs. */
export function isInForce({ total, inForce, missing }: Count): boolean {
  return missing === undefined && inForce >= total;
}

function isSame(route: LiveRoute, stored: StoredRoute | undefined): boolean {
  if (stored === undefined) return false;
  const { revision: _, ...there } = stored;
  return isDeepStrictEqual(there, route);
}

function isYoung({ since, count }: Watched): boolean {
  const isFollowed = count === undefined || (count.total > 0 && count.missing === undefined);
  return isFollowed && performance.now() - since < USUAL_MS;
}

function pauseAfter({ since }: Watched): number {
  const passed = performance.now() - since;
  return passed > LIMIT_MS ? LATE_LOOK_MS : Math.max(LEAST_PAUSE_MS, passed * PAUSE);
}
