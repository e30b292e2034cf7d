// The table of documents, as the worker thread has it.
import type { DatabaseSync } from "node:sqlite";
import type { DocumentChange, DocumentWrite } from "../documents.ts";

// Made where documents are first asked for, so that a database without any is what it was. A deleted one stays for a while without its
// text, so that other processes learn of it. Versions count all writes.
const TABLE = `
  CREATE TABLE IF NOT EXISTS document (id TEXT PRIMARY KEY, version INTEGER NOT NULL, text TEXT) WITHOUT ROWID, STRICT;
  CREATE INDEX IF NOT EXISTS document_version ON document (version);
  CREATE INDEX IF NOT EXISTS document_gone ON document (version) WHERE text IS NULL;
`;

/** Versions after which a deleted document is forgotten. */
const KEEP_DELETED = 10_000;

/** Every call has to stand in a transaction. */
export class DocumentTable {
  readonly #database: DatabaseSync;
  /** Everything up to this version is known to the other thread. */
  #known = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(TABLE);
  }

  /** What has changed since it was asked last: at first all there are. */
  news(): DocumentChange[] {
    const all = this.#database.prepare("SELECT id, version, text FROM document WHERE version > ? ORDER BY version");
    const rows = all.all(this.#known) as unknown as { id: string; version: number; text: string | null }[];
    this.#known = Math.max(this.#known, rows.at(-1)?.version ?? 0);
    return rows.map(({ text, ...row }) => ({ ...row, ...(text !== null && { text }) }));
  }

  write(writes: readonly DocumentWrite[]): (number | undefined)[] {
    const one = this.#database.prepare("SELECT version FROM document WHERE id = ? AND text IS NOT NULL");
    const put = this.#database.prepare("INSERT OR REPLACE INTO document VALUES (?, ?, ?)");
    let last = (this.#database.prepare("SELECT max(version) AS last FROM document").get() as { last: number | null })
      .last;
    const versions = writes.map(({ id, text, version }) => {
      const there = (one.get(id) as { version: number } | undefined)?.version ?? 0;
      if (version !== undefined && version !== there) return undefined;
      if (text === undefined && there === 0) return 0;
      last = (last ?? 0) + 1;
      put.run(id, last, text ?? null);
      return last;
    });
    this.#database.prepare("DELETE FROM document WHERE text IS NULL AND version < ?").run((last ?? 0) - KEEP_DELETED);
    return versions;
  }
}
