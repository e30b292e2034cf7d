// What the thread that serves and the thread that writes say to each other. Routes travel as the texts that are stored.
import type { DocumentChange, DocumentWrite } from "../documents.ts";
import type { Requirement } from "../store.ts";

export interface WorkerSettings {
  file: string;
  /** Milliseconds between two looks at what other processes have written. */
  pollMs: number;
  /** Milliseconds to wait for another process that writes. */
  busyMs: number;
  /** Changes that are read at the start for those who watch, in routes. */
  mostChanges: number;
  /** Revisions after which a deleted route is forgotten. */
  keepDeleted: number;
  /** The pages that the file may have at most; 0 for as many as the disk holds. */
  maxPages: number;
}

/** A transaction as it is written. */
export interface Write {
  number: number;
  set: [id: string, text: string][];
  delete: string[];
  require: Requirement[];
}

/** Some of the routes of a transaction, the others of which come later. */
export interface Part {
  number: number;
  part: [id: string, text: string][];
}

/** The writes of one request become durable together. Parts that nobody writes any more are `dropped`, by their transaction's number. */
export type Request =
  | Part
  | { dropped: number }
  | { writes: Write[] }
  | { documents: readonly DocumentWrite[]; number: number }
  | "close";

/** Documents that have changed, those of other processes first, and what has become of writes. */
export interface DocumentsAnswer {
  documents: DocumentChange[];
  done?: { number: number; versions: (number | undefined)[] } | Refused;
}

/** What became of a route that was to be set. */
export const UNCHANGED = 0;
export const CREATED = 1;
export const REPLACED = 2;

export interface Written {
  number: number;
  revision: number;
  /** Per route of the set: UNCHANGED, CREATED or REPLACED. */
  set: Uint8Array;
  /** The revisions of those that are unchanged. */
  kept: Float64Array;
  /** Per id to delete: 1 where it was there. */
  deleted: Uint8Array;
}

/** An error as it crosses to the other thread. */
export interface Failure {
  kind: "Conflict" | "Unavailable" | "Full" | "Damaged" | "Fault";
  what: string;
  where?: string;
  next?: string;
}

export interface Refused {
  number: number;
  failure: Failure;
}

/** Rows that changed, in the order of their revisions; of a deleted one `text` is what it was. */
export interface Row {
  id: string;
  revision: number;
  gone: boolean;
  text: string;
}

/** Rows as JSON: so that many of them are read when there is time, and not as they arrive. */
export type Rows = string;

export type Answer =
  | { routes: string }
  | { loaded: { history: bigint; revision: number; since: number; changes: Row[] } }
  /** Some of the others' rows, more of which come with the next answers. */
  | { part: Rows }
  /** `others`: what other processes had written before. */
  | { others: Rows; done: (Written | Refused)[] }
  | { others: Rows }
  | DocumentsAnswer
  | { failed: Failure }
  /** Null once it is over. */
  | { trouble: Failure | null }
  | "closed";
