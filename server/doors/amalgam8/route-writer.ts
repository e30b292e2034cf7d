// Keeps the routes in the table that rules stand for. Any server may write them: what is there already is left as it is, and what another
// server has written meanwhile is looked at again.
import { setTimeout as sleep } from "node:timers/promises";
import type { LiveRoute, StoredRoute } from "../../../routes/model/live-route.ts";
import { type CommitParts, commitManaged } from "../../api/commit.ts";
import { Conflict } from "../../store/store.ts";
import { LABEL } from "./translate.ts";

/** Milliseconds for which another server that has made a change has to write its routes, before this one does. */
const AFTER_OTHERS_MS = 300;
const RETRY_MS = 500;
const TRIES = 10;
const AT_ONCE = 1000;

export class RouteWriter {
  readonly #parts: CommitParts;
  readonly #wanted: () => LiveRoute[];
  readonly #failed: (thrown: unknown) => void;
  #turn: Promise<void> = Promise.resolve();
  /** A write that has not begun: whoever asks for one meanwhile shares it. */
  #next: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #hasFailed = false;

  /** `failed` is told once for each time that the routes can't be written. */
  constructor(parts: CommitParts, wanted: () => LiveRoute[], failed: (thrown: unknown) => void) {
    this.#parts = parts;
    this.#wanted = wanted;
    this.#failed = failed;
  }

  /** Something has changed that another server may have written routes for. */
  changed(afterMs = AFTER_OTHERS_MS): void {
    if (this.#isClosed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.write().then(
        () => {
          this.#hasFailed = false;
        },
        (thrown) => {
          if (!this.#hasFailed) this.#failed(thrown);
          this.#hasFailed = true;
          this.changed(RETRY_MS);
        },
      );
    }, afterMs).unref();
  }

  /** Resolves once the table has what is wanted. */
  write(): Promise<void> {
    if (this.#next) return this.#next;
    const next = this.#turn.then(() => {
      this.#next = undefined;
      return this.#write();
    });
    this.#next = next;
    this.#turn = next.catch(() => {});
    return next;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#turn;
  }

  /** The routes in the table that were made of rules. */
  *#there(): Generator<StoredRoute, void> {
    for (let after = ""; ; ) {
      const routes = this.#parts.state.list({ labels: [LABEL] }, AT_ONCE, after);
      yield* routes;
      if (routes.length < AT_ONCE) return;
      after = routes.at(-1)?.id ?? "";
    }
  }

  async #write(): Promise<void> {
    for (let tries = 1; ; tries++) {
      const there = new Map([...this.#there()].map((route) => [route.id, route]));
      const wanted = this.#wanted();
      const ids = new Set(wanted.map(({ id }) => id));
      const set = wanted.filter((route) => !isSame(route, there.get(route.id)));
      const gone = [...there.keys()].filter((id) => !ids.has(id));
      if (set.length === 0 && gone.length === 0) return;
      const require = [...set.map(({ id }) => id), ...gone].map((id) => {
        const before = there.get(id);
        return before ? { id, revision: before.revision } : ({ id, absent: true } as const);
      });
      try {
        await commitManaged(this.#parts, { set, delete: gone, require });
        return;
      } catch (thrown) {
        // Somebody else was first: what they have written is there in a moment.
        if (!(thrown instanceof Conflict) || tries === TRIES) throw thrown;
        await sleep(20 * tries);
      }
    }
  }
}

function isSame(route: LiveRoute, there: StoredRoute | undefined): boolean {
  if (there === undefined) return false;
  const { revision: _, ...known } = there;
  return JSON.stringify(known) === JSON.stringify(route);
}
