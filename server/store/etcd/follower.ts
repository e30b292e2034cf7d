import { setTimeout as sleep } from "node:timers/promises";
import { KeywayError, reason } from "../../../shared/errors.ts";
import { Followed } from "../followed.ts";
import { type Change, Unavailable } from "../store.ts";
import type { WatchAnswer, WatchEvent } from "./answers.ts";
import type { EtcdDocuments } from "./documents.ts";
import type { Gateway } from "./gateway.ts";
import { type EtcdReader, type HeadAt, NO_HEAD } from "./reader.ts";
import { contentOf, everything, HEAD, type Head, idOf, keyOf, revisionOf, routeOf } from "./records.ts";

export interface FollowerSettings {
  gateway: Gateway;
  reader: EtcdReader;
  /** Told of what happens to documents before the routes that somebody has made of it. */
  documents: Pick<EtcdDocuments, "take" | "reload">;
  /** Ends everything. */
  signal: AbortSignal;
  /** Its members, for messages. */
  where: string;
  silentMs: number;
  retryMs: number;
}

/** The routes as etcd has them, kept up by a watch. Everything up to the revision of what is followed is known. */
export class EtcdFollower {
  readonly followed = new Followed();
  readonly #settings: FollowerSettings;
  #head: HeadAt = NO_HEAD;
  #trouble: KeywayError | undefined;
  #following: Promise<void> | undefined;

  constructor(settings: FollowerSettings) {
    this.#settings = settings;
  }

  /** The head as it is known. */
  get head(): HeadAt {
    return this.#head;
  }

  /** Why etcd can't be followed at present. */
  get trouble(): KeywayError | undefined {
    return this.#trouble;
  }

  /** Reads all routes and goes on by itself. */
  async start(): Promise<void> {
    const { revision, head, routes } = await this.#settings.reader.all();
    this.#head = head;
    this.followed.load(revision, routes);
    this.#following = this.#follow();
  }

  /** Resolves once nothing more is told, after the signal was aborted. */
  async ended(): Promise<void> {
    await this.#following;
  }

  /** This server has written the head. */
  moveHead(head: HeadAt): void {
    if (head.revision > this.#head.revision) this.#head = head;
  }

  /** This server has written a change, which is told before the watch brings it. */
  wrote(change: Change): void {
    if (change.revision > this.followed.revision) this.followed.apply(change);
  }

  /** Waits until what others have written up to now is known; false where it is not until the limit is over. */
  async catchUp(limit: AbortSignal): Promise<boolean> {
    const { head } = await this.#settings.reader.head();
    return this.followed.until(() => this.followed.revision >= head.revision, limit);
  }

  async #follow(): Promise<void> {
    const { gateway, documents, signal, where, silentMs, retryMs } = this.#settings;
    while (!signal.aborted) {
      try {
        const start_revision = String(this.followed.revision + 1);
        const body = { create_request: { ...everything, start_revision, progress_notify: true } };
        for await (const answer of gateway.stream<WatchAnswer>("/v3/watch", body, signal, silentMs)) {
          if (answer.compact_revision !== undefined && Number(answer.compact_revision) > this.followed.revision) {
            await this.#reload();
            break;
          }
          if (answer.canceled) throw new Error(answer.cancel_reason ?? "etcd has ended the watch");
          documents.take(answer.events ?? []);
          await this.#take(answer.events ?? []);
          this.#trouble = undefined;
        }
      } catch (thrown) {
        if (signal.aborted) return;
        if (isSilent(thrown)) continue;
        const next = "see whether etcd runs and has a leader; it is asked again by itself";
        this.#trouble =
          thrown instanceof KeywayError
            ? thrown
            : new Unavailable(`etcd can't be followed: ${reason(thrown)}`, { where, next });
        await sleep(retryMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Where etcd has forgotten what happened meanwhile: what differs is one change. */
  async #reload(): Promise<void> {
    await this.#settings.documents.reload();
    const { revision, head, routes } = await this.#settings.reader.all();
    this.#head = head;
    const before = this.followed.routes;
    const ids = new Set(routes.map(({ id }) => id));
    const set = routes.filter((route) => before.get(route.id)?.revision !== route.revision);
    this.followed.apply({ revision, set, delete: [...before.keys()].filter((id) => !ids.has(id)) });
  }

  /** Events come in order, those of one revision together or in several answers. */
  async #take(events: readonly WatchEvent[]): Promise<void> {
    for (const [revision, together] of Map.groupBy(events, ({ kv }) => revisionOf(kv))) {
      if (revision <= this.followed.revision) continue;
      const change: Change = { revision, set: [], delete: [] };
      let head: Head | undefined;
      for (const { type, kv } of together) {
        const id = idOf(kv);
        if (id !== undefined && type === "DELETE") change.delete.push(id);
        else if (id !== undefined) change.set.push(routeOf(kv));
        else if (keyOf(kv) === HEAD && type !== "DELETE") head = contentOf<Head>(kv);
      }
      const parts = head ? await this.#settings.reader.parts(head, revision) : [];
      for (const part of parts) {
        for (const route of part.set) change.set.push({ ...route, revision });
        for (const id of part.delete) change.delete.push(id);
      }
      // This server's own transactions are known before they are told, and so is all that came before them.
      if (revision <= this.followed.revision) continue;
      if (head) this.moveHead({ revision, content: head });
      const { routes } = this.followed;
      // A part that is put in its place changes nothing.
      change.set = change.set.filter(({ id, revision: own }) => (routes.get(id)?.revision ?? 0) < own);
      change.delete = change.delete.filter((id) => routes.has(id));
      this.followed.apply(change);
    }
  }
}

/** Nothing has changed for long: the watch is begun anew, since a connection that was cut looks the same. */
const isSilent = (thrown: unknown): boolean => (thrown as { code?: unknown }).code === "UND_ERR_BODY_TIMEOUT";
