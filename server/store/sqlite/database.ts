// The tables, and what is read and written in one go. Only the worker thread uses them.
import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { DocumentChange, DocumentWrite } from "../documents.ts";
import { Conflict, Damaged, type Requirement, Unavailable } from "../store.ts";
import { DocumentTable } from "./document-table.ts";
import { damage } from "./failures.ts";
import { CREATED, REPLACED, type Row, UNCHANGED, type WorkerSettings, type Write, type Written } from "./messages.ts";

/** The version of the tables. A newer one is refused, an older one brought up to it. */
const VERSION = 1;

// A deleted route stays for a while with `gone` set, so that other processes and those who watch learn of it.
const TABLES = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
  CREATE TABLE route (id TEXT PRIMARY KEY, revision INTEGER NOT NULL, gone INTEGER NOT NULL, text TEXT NOT NULL) WITHOUT ROWID, STRICT;
  CREATE INDEX route_revision ON route (revision);
  CREATE INDEX route_gone ON route (revision) WHERE gone = 1;
  PRAGMA user_version = ${VERSION};
`;

interface Stored {
  revision: number;
  gone: number;
  text: string;
}

export class Database {
  readonly #settings: WorkerSettings;
  readonly #database: DatabaseSync;
  readonly #one: StatementSync;
  readonly #put: StatementSync;
  readonly #end: StatementSync;
  readonly #changed: StatementSync;
  readonly #meta: StatementSync;
  readonly #setMeta: StatementSync;
  readonly #dataVersion: StatementSync;
  /** All that happened up to here is known to the other thread. */
  #known = 0;
  readonly #inode: bigint;
  /** Undefined until somebody asks for documents. */
  #documents: DocumentTable | undefined;

  /** Opens the file or makes it, and looks whether it is whole. */
  constructor(settings: WorkerSettings) {
    this.#settings = settings;
    const { file, busyMs } = settings;
    this.#database = new DatabaseSync(file, { timeout: busyMs });
    const prepare = (sql: string) => this.#database.prepare(sql);
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536");
    this.#database.exec("PRAGMA journal_size_limit = 67108864");
    if (settings.maxPages > 0) this.#database.exec(`PRAGMA max_page_count = ${settings.maxPages}`);
    this.#create();
    const [first] = prepare("PRAGMA quick_check(1)").all() as { quick_check: string }[];
    if (first?.quick_check !== "ok") throw damaged(first?.quick_check ?? "its check gives no result", file);
    this.#one = prepare("SELECT revision, gone, text FROM route WHERE id = ?");
    this.#put = prepare(
      "INSERT INTO route VALUES (?, ?, 0, ?) ON CONFLICT DO UPDATE SET revision = excluded.revision, gone = 0, text = excluded.text",
    );
    this.#end = prepare("UPDATE route SET revision = ?, gone = 1 WHERE id = ?");
    this.#changed = prepare("SELECT id, revision, gone, text FROM route WHERE revision > ? ORDER BY revision, id");
    this.#meta = prepare("SELECT value FROM meta WHERE name = ?");
    this.#setMeta = prepare("UPDATE meta SET value = ? WHERE name = ?");
    this.#dataVersion = prepare("PRAGMA data_version");
    this.#inode = inodeOf(file);
  }

  get history(): bigint {
    return BigInt(`0x${this.#value("history")}`);
  }

  get revision(): number {
    return Number(this.#value("revision"));
  }

  /** Begins another history, for a table whose past is not the one that was told before. */
  renewHistory(): void {
    this.#setMeta.run(newHistory(), "history");
  }

  /** Calls `batch` with JSON lists of the routes, by id, and returns the rest, all of one moment. */
  load(batch: (routes: string) => void): { revision: number; since: number; changes: Row[] } {
    return this.#transaction("BEGIN", () => {
      const revision = this.revision;
      let texts: string[] = [];
      const flush = () => {
        if (texts.length > 0) batch(`[${texts.join()}]`);
        texts = [];
      };
      const all = this.#database.prepare("SELECT revision, text FROM route WHERE gone = 0 ORDER BY id");
      for (const row of all.iterate() as Iterable<{ revision: number; text: string }>) {
        texts.push(`{"revision":${row.revision},"route":${row.text}}`);
        if (texts.length === 2000) flush();
      }
      flush();
      const since = this.#startOfChanges(revision);
      this.#known = revision;
      return { revision, since, changes: this.#rows(since) };
    });
  }

  /** A number that moves when another process has written. */
  dataVersion(): number {
    this.#holdsItsPlace();
    return (this.#dataVersion.get() as { data_version: number }).data_version;
  }

  /** What other processes have written since it was asked last. */
  others(): Row[] {
    return this.#transaction("BEGIN", () => this.#others());
  }

  /** Writes transactions that become durable together, each as a whole or not at all. */
  write(writes: readonly Write[]): { others: Row[]; done: (Written | { number: number; conflict: Conflict })[] } {
    this.#holdsItsPlace();
    const before = this.#known;
    try {
      return this.#transaction("BEGIN IMMEDIATE", () => {
        const others = this.#others();
        const done = writes.map((write) => this.#attempt(write));
        this.#setMeta.run(String(this.#known), "revision");
        this.#forget();
        return { others, done };
      });
    } catch (thrown) {
      this.#known = before;
      throw thrown;
    }
  }

  /** What other processes have written of documents since it was asked last; nothing where nobody has asked for documents. */
  otherDocuments(): DocumentChange[] {
    const documents = this.#documents;
    return documents ? this.#transaction("BEGIN", () => documents.news()) : [];
  }

  /** Writes documents, each by itself, and all of them durable together. At first all there are is news. */
  writeDocuments(writes: readonly DocumentWrite[]): { news: DocumentChange[]; versions: (number | undefined)[] } {
    this.#holdsItsPlace();
    return this.#transaction("BEGIN IMMEDIATE", () => {
      this.#documents ??= new DocumentTable(this.#database);
      const versions = this.#documents.write(writes);
      return { news: this.#documents.news(), versions };
    });
  }

  close(): void {
    this.#database.close();
  }

  #create(): void {
    const { file } = this.#settings;
    const version = () =>
      (this.#database.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
    if (version() === 0) {
      this.#transaction("BEGIN IMMEDIATE", () => {
        // Another process may have made them meanwhile.
        if (version() !== 0) return;
        const [foreign] = this.#database.prepare("SELECT name FROM sqlite_schema LIMIT 1").all() as { name: string }[];
        if (foreign)
          throw new Unavailable(`it is another program's database: it has ${foreign.name}`, {
            where: file,
            next: "name another file with --store sqlite:FILE",
          });
        this.#database.exec(TABLES);
        const insert = this.#database.prepare("INSERT INTO meta VALUES (?, ?)");
        for (const [name, value] of [
          ["history", newHistory()],
          ["revision", "0"],
          ["since", "0"],
        ] as const)
          insert.run(name, value);
      });
    }
    if (version() > VERSION) {
      throw new Unavailable(
        `a newer keyway has written it (version ${version()} of its tables; this one knows ${VERSION})`,
        {
          where: file,
          next: "run that version of keyway, or restore a backup that this one has made",
        },
      );
    }
  }

  /** Throws where the file's name leads to another file, or to none: what is written into this one would be lost. */
  #holdsItsPlace(): void {
    const { file } = this.#settings;
    if (inodeOf(file) === this.#inode) return;
    throw new Damaged("the database was moved, deleted or replaced while this server has it open", {
      where: file,
      next: "start the server again; stop every server that uses a database before you restore a backup of it",
    });
  }

  #attempt(write: Write): Written | { number: number; conflict: Conflict } {
    this.#database.exec("SAVEPOINT one");
    const before = this.#known;
    try {
      return this.#apply(write);
    } catch (thrown) {
      if (!(thrown instanceof Conflict)) throw thrown;
      this.#database.exec("ROLLBACK TO one");
      this.#known = before;
      return { number: write.number, conflict: thrown };
    } finally {
      // A full disk may have ended the whole transaction.
      if (this.#database.isTransaction) this.#database.exec("RELEASE one");
    }
  }

  #apply({ number, set, delete: gone, require }: Write): Written {
    for (const requirement of require) this.#demand(requirement);
    const next = this.#known + 1;
    const kept: number[] = [];
    const outcomes = Uint8Array.from(set, ([id, text]) => {
      const there = this.#find(id);
      if (there?.text === text) {
        kept.push(there.revision);
        return UNCHANGED;
      }
      this.#put.run(id, next, text);
      return there === undefined ? CREATED : REPLACED;
    });
    const deleted = Uint8Array.from(gone, (id) => {
      if (this.#find(id) === undefined) return 0;
      this.#end.run(next, id);
      return 1;
    });
    if (kept.length < set.length || deleted.includes(1)) this.#known = next;
    return { number, revision: this.#known, set: outcomes, kept: Float64Array.from(kept), deleted };
  }

  #demand({ id, revision, absent, present }: Requirement): void {
    const there = this.#find(id);
    if (absent && there !== undefined)
      throw new Conflict(id, `there is a route ${id} already, at revision ${there.revision}`);
    if (!absent && there === undefined) throw new Conflict(id, `there is no route ${id}`);
    if (present || absent || revision === undefined || there?.revision === revision) return;
    throw new Conflict(id, `the route ${id} has changed: it is at revision ${there?.revision}, not ${revision}`);
  }

  #find(id: string): Stored | undefined {
    const stored = this.#one.get(id) as Stored | undefined;
    return stored?.gone === 0 ? stored : undefined;
  }

  #others(): Row[] {
    const revision = this.revision;
    if (revision < this.#known) {
      throw damaged(
        `it is at revision ${revision} and was at ${this.#known} before, as if another file had been put in its place`,
        this.#settings.file,
      );
    }
    if (revision === this.#known) return [];
    const rows = this.#rows(this.#known);
    this.#known = revision;
    return rows;
  }

  #rows(since: number): Row[] {
    return (this.#changed.all(since) as unknown as (Stored & { id: string })[]).map(({ id, revision, gone, text }) => {
      return { id, revision, gone: gone === 1, text };
    });
  }

  /** The revision after which no deletion is forgotten and not too much has changed. */
  #startOfChanges(revision: number): number {
    const oldest = this.#database
      .prepare("SELECT revision FROM route ORDER BY revision DESC LIMIT 1 OFFSET ?")
      .get(this.#settings.mostChanges) as { revision: number } | undefined;
    return Math.min(revision, Math.max(Number(this.#value("since")), oldest?.revision ?? 0));
  }

  /** Takes away what was deleted long ago, a few at a time. */
  #forget(): void {
    const until = this.#known - this.#settings.keepDeleted;
    if (until <= Number(this.#value("since"))) return;
    const old = this.#database
      .prepare(
        "DELETE FROM route WHERE id IN (SELECT id FROM route WHERE gone = 1 AND revision <= ? ORDER BY revision LIMIT 100) RETURNING revision",
      )
      .all(until) as { revision: number }[];
    // Once the last are gone, the past begins at `until` itself.
    const since = old.length < 100 ? until : Math.max(...old.map(({ revision }) => revision));
    this.#setMeta.run(String(since), "since");
  }

  #value(name: string): string {
    const row = this.#meta.get(name) as { value: string } | undefined;
    if (row === undefined) throw damaged(`its table meta has no ${name}`, this.#settings.file);
    return row.value;
  }

  #transaction<Result>(begin: string, work: () => Result): Result {
    this.#database.exec(begin);
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (thrown) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw thrown;
    }
  }
}

/** 0 for a file that is not there. */
function inodeOf(file: string): bigint {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.ino ?? 0n;
}

const newHistory = () => randomBytes(8).toString("hex");

function damaged(why: string, file: string): Damaged {
  const { what, next = "" } = damage(why, file);
  return new Damaged(what, { where: file, next });
}
