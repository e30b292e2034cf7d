// The documents in etcd. Their versions are etcd's revisions, and whoever follows the routes is told of them, too.
import type { DocumentChange, Documents, DocumentWrite } from "../documents.ts";
import { KnownDocuments } from "../known-documents.ts";
import { Unavailable } from "../store.ts";
import { base64, DOCUMENTS, documentOf, type KeyValue, range } from "./records.ts";

/** Documents of one transaction of etcd, and of one answer. */
const AT_ONCE = 50;
const READ_AT_ONCE = 1000;

interface RangeAnswer {
  header: { revision: string };
  kvs?: KeyValue[];
  more?: boolean;
}

interface TxnAnswer {
  header: { revision: string };
  succeeded?: boolean;
}

interface Settings {
  call: <Answer>(path: string, body: object) => Promise<Answer>;
  /** Milliseconds that what was written is waited for. */
  toldMs: number;
}

export class EtcdDocuments implements Documents {
  readonly #known = new KnownDocuments();
  readonly #settings: Settings;
  /** What is told while all of them are read. */
  #early: DocumentChange[] | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  async follow(onChange: (changes: readonly DocumentChange[]) => void): Promise<void> {
    this.#known.onChange = onChange;
    await this.reload();
  }

  /** Reads all of them, where somebody follows them. */
  async reload(): Promise<void> {
    if (!this.#known.isFollowed) return;
    const { range_end } = range(DOCUMENTS);
    const documents: DocumentChange[] = [];
    let revision: number | undefined;
    this.#early ??= [];
    for (let key = base64(DOCUMENTS), more = true; more; ) {
      const at = revision === undefined ? {} : { revision };
      const answer = await this.#call<RangeAnswer>("/v3/kv/range", { key, range_end, limit: READ_AT_ONCE, ...at });
      revision ??= Number(answer.header.revision);
      for (const record of answer.kvs ?? []) documents.push(documentOf(record) as DocumentChange);
      more = answer.more === true && documents.length > 0;
      key = base64(`${DOCUMENTS}${documents.at(-1)?.id}\0`);
    }
    this.#known.load(documents, revision ?? 0);
    const early = this.#early ?? [];
    this.#early = undefined;
    this.#known.take(early);
  }

  /** What the watch of all keys tells. */
  take(events: readonly { type?: "DELETE"; kv: KeyValue }[]): void {
    if (!this.#known.isFollowed) return;
    const changes = events.flatMap(({ type, kv }) => documentOf(kv, type === "DELETE") ?? []);
    if (this.#early) this.#early.push(...changes);
    else this.#known.take(changes);
  }

  async write(writes: readonly DocumentWrite[]): Promise<(number | undefined)[]> {
    const versions: (number | undefined)[] = [];
    for (let at = 0; at < writes.length; at += AT_ONCE) {
      const part = writes.slice(at, at + AT_ONCE);
      const together = await this.#put(part);
      if (together !== undefined) versions.push(...part.map(() => together));
      else for (const one of part) versions.push(part.length === 1 ? undefined : await this.#put([one]));
    }
    const newest = Math.max(0, ...versions.map((one) => one ?? 0));
    const isTold = () => this.#known.version >= newest;
    if (await this.#known.until(isTold, AbortSignal.timeout(this.#settings.toldMs))) return versions;
    throw new Unavailable("what was written is not told by etcd in time", {
      where: "etcd",
      next: "see whether etcd's members are healthy (`etcdctl endpoint health`); it goes on by itself",
    });
  }

  /** The revision with which all of them were written; undefined where one demands another version than is there. */
  async #put(writes: readonly DocumentWrite[]): Promise<number | undefined> {
    const answer = await this.#call<TxnAnswer>("/v3/kv/txn", {
      compare: writes.flatMap(({ id, version }) => {
        if (version === undefined) return [];
        return [{ key: base64(DOCUMENTS + id), target: "MOD", mod_revision: String(version) }];
      }),
      success: writes.map(({ id, text }) => {
        const key = base64(DOCUMENTS + id);
        return text === undefined ? { request_delete_range: { key } } : { request_put: { key, value: base64(text) } };
      }),
    });
    // What deletes nothing is no revision, and nobody is told of it.
    const changes = writes.some(({ id, text }) => text !== undefined || this.#known.versionOf(id) > 0);
    if (answer.succeeded !== true) return undefined;
    return changes ? Number(answer.header.revision) : 0;
  }

  #call<Answer>(path: string, body: object): Promise<Answer> {
    return this.#settings.call<Answer>(path, body);
  }
}
