// Deletes the routes whose time has come.
import { formatDate } from "../routes/model/date.ts";
import type { StoredRoute } from "../routes/model/live-route.ts";
import type { State } from "./state/state.ts";
import { Conflict, type Store } from "./store/store.ts";

/** Two clocks: one can be set, the other only goes on. */
export interface Clock {
  /** Milliseconds since 1970, as the machine has them. */
  wall(): number;
  /** Milliseconds since some moment, whatever happens to the other clock. */
  steady(): number;
}

export const systemClock: Clock = { wall: Date.now, steady: () => performance.now() };

interface Settings {
  clock: Clock;
  /** Milliseconds between two looks. */
  everyMs: number;
  /** A wall clock that moves this many milliseconds against the steady one has jumped. */
  jumpMs: number;
  /** Milliseconds for which a clock that has jumped is not believed. */
  doubtMs: number;
  /** Routes that are deleted in one transaction. */
  atOnce: number;
}

const DEFAULTS: Settings = { clock: systemClock, everyMs: 250, jumpMs: 5000, doubtMs: 60_000, atOnce: 1000 };

interface Told {
  expired(routes: number): void;
  /** The wall clock has jumped by so many milliseconds. */
  jumped(byMs: number): void;
  failed(error: unknown): void;
}

/** Begins to look; the result ends it. A jump of the clock that is taken back deletes nothing. */
export function startExpiry(state: State, store: Store, told: Told, settings: Partial<Settings> = {}): () => void {
  const { clock, everyMs, jumpMs, doubtMs, atOnce } = { ...DEFAULTS, ...settings };
  let offset = clock.wall() - clock.steady();
  let doubtUntil = Number.NEGATIVE_INFINITY;
  let isBusy = false;

  const look = async () => {
    const jump = clock.wall() - clock.steady() - offset;
    if (Math.abs(jump) >= jumpMs) {
      told.jumped(jump);
      doubtUntil = clock.steady() + doubtMs;
    }
    // Small differences are the clock being set right, bit by bit.
    offset += jump;
    if (isBusy || clock.steady() < doubtUntil) return;
    const due = dueRoutes(state, store, clock.wall(), atOnce);
    if (due.length === 0) return;
    isBusy = true;
    try {
      const require = due.map(({ id, revision }) => ({ id, revision }));
      const { revision } = await store.commit({ set: [], delete: due.map(({ id }) => id), require });
      await state.reached(revision);
      told.expired(due.length);
    } catch (thrown) {
      // Somebody has renewed one, or another server has deleted it: the next look sees that.
      if (!(thrown instanceof Conflict)) told.failed(thrown);
    } finally {
      isBusy = false;
    }
  };

  const timer = setInterval(() => void look(), everyMs);
  void look();
  return () => clearInterval(timer);
}

/** What is made from something else goes together with that. */
function dueRoutes(state: State, store: Store, nowMs: number, most: number): StoredRoute[] {
  const now = formatDate(Math.floor(nowMs / 1000)) ?? "";
  const due: StoredRoute[] = [];
  for (const route of state.expiring()) {
    if (due.length >= most || (route.expires ?? "") > now) break;
    if (!store.isManaged?.(route.id)) due.push(route);
  }
  return due;
}
