// SQLite's errors in words for people.
import { KeywayError, reason } from "../../../shared/errors.ts";
import { Conflict, Damaged, Full, Unavailable } from "../store.ts";
import type { Failure } from "./messages.ts";

/** SQLite's primary result codes. */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** What was thrown while `file` was read or written, as it crosses to the other thread. */
export function failureOf(thrown: unknown, file: string): Failure {
  if (thrown instanceof Conflict) return { kind: "Conflict", what: thrown.message, where: thrown.id };
  if (thrown instanceof KeywayError) {
    const kind = thrown instanceof Damaged ? "Damaged" : "Unavailable";
    return { kind, what: thrown.message, where: file, ...(thrown.next !== undefined && { next: thrown.next }) };
  }
  const why = reason(thrown);
  switch (codeOf(thrown)) {
    case BUSY:
    case LOCKED:
      return {
        kind: "Unavailable",
        what: `another process holds the database for too long: ${why}`,
        where: file,
        next: "see which processes have it open (`fuser FILE`), and try again",
      };
    case FULL:
      return {
        kind: "Full",
        what: "no space is left for the database; nothing of this write was kept, and reading goes on",
        where: file,
        next: "make room on its disk and try again",
      };
    case IOERR:
      return {
        kind: "Unavailable",
        what: `the database can't be written or read: ${why}`,
        where: file,
        next: "see whether its disk is there, healthy and has room and quota left, and try again",
      };
    case READONLY:
    case CANTOPEN:
      return {
        kind: "Unavailable",
        what: `the database can't be opened: ${why}`,
        where: file,
        next: "check that its folder exists and that this user may write in it; SQLite keeps two more files beside it",
      };
    case CORRUPT:
    case NOTADB:
      return damage(why, file);
    default:
      return { kind: "Fault", what: why, where: file };
  }
}

/** The file is not what this command has written. */
export function damage(why: string, file: string): Failure {
  const next =
    `stop every server that uses it, move ${file}, ${file}-wal and ${file}-shm aside, copy a backup to ${file} and start again; ` +
    "what can still be read of the damaged one: sqlite3 DAMAGED .recover | sqlite3 NEW";
  return { kind: "Damaged", what: `the database is damaged: ${why}`, where: file, next };
}

/** The error on the side of whoever asked. */
export function errorOf({ kind, what, where, next }: Failure): Error {
  const explanation = { ...(where !== undefined && { where }), ...(next !== undefined && { next }) };
  if (kind === "Conflict") return new Conflict(where ?? "", what);
  if (kind === "Fault") return new Error(where === undefined ? what : `${what} (${where})`);
  const Kind = { Unavailable, Full, Damaged }[kind];
  return new Kind(what, explanation);
}

function codeOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !("errcode" in thrown) || typeof thrown.errcode !== "number") return undefined;
  return thrown.errcode & 0xff;
}
