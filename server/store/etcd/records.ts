// What stands in etcd, all under one prefix:
//   /keyway/history        the random part of the history's number, made once
//   /keyway/head           {transaction} or, while the parts of a large one are put in their places, {transaction, parts}. Every
//                          transaction writes it, so whoever finds it unchanged knows that nothing else has changed either
//   /keyway/routes/ID      a route; with `revision` where that is older than the key's own
//   /keyway/staged/T/N     a part of the large transaction T: {set: [ROUTE…], delete: [ID…]}
//   /keyway/documents/ID   a document, which is no part of the table
import { createHash } from "node:crypto";
import type { LiveRoute, StoredRoute } from "../../../routes/model/live-route.ts";
import type { DocumentChange } from "../documents.ts";
import { Damaged } from "../store.ts";

const PREFIX = "/keyway/";
export const HISTORY = `${PREFIX}history`;
export const HEAD = `${PREFIX}head`;
export const ROUTES = `${PREFIX}routes/`;
export const STAGED = `${PREFIX}staged/`;
export const DOCUMENTS = `${PREFIX}documents/`;

export const base64 = (text: string): string => Buffer.from(text).toString("base64");
const text = (of: string): string => Buffer.from(of, "base64").toString();

/** The range of all keys that begin so. */
export function range(prefix: string): { key: string; range_end: string } {
  const last = prefix.length - 1;
  return {
    key: base64(prefix),
    range_end: base64(prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1)),
  };
}

export const everything = range(PREFIX);

export interface KeyValue {
  key: string;
  value?: string;
  mod_revision: string;
}

export interface Head {
  /** The transaction that was the last one, by a random name. */
  transaction: string;
  /** How many parts it has that are not all in their places yet. */
  parts?: number;
}

export interface Part {
  set: LiveRoute[];
  delete: string[];
}

export const keyOf = (record: KeyValue): string => text(record.key);
export const revisionOf = (record: KeyValue): number => Number(record.mod_revision);

/** A record's JSON. Throws Damaged where it is none. */
export function contentOf<Content>(record: KeyValue): Content {
  try {
    return JSON.parse(text(record.value ?? ""));
  } catch {
    throw new Damaged(`${keyOf(record)} in etcd is no JSON: somebody else has written it`, {
      where: keyOf(record),
      next: `look at it (\`etcdctl get ${keyOf(record)}\`), and delete it or restore a snapshot of etcd`,
    });
  }
}

/** The id that a key names; undefined for a key of no route. */
export function idOf(record: KeyValue): string | undefined {
  const key = keyOf(record);
  return key.startsWith(ROUTES) ? key.slice(ROUTES.length) : undefined;
}

/** Undefined for a key of no document. */
export function documentOf(record: KeyValue, isGone = false): DocumentChange | undefined {
  const key = keyOf(record);
  if (!key.startsWith(DOCUMENTS)) return undefined;
  const id = key.slice(DOCUMENTS.length);
  return { id, version: revisionOf(record), ...(!isGone && { text: text(record.value ?? "") }) };
}

export function routeOf(record: KeyValue): StoredRoute {
  return { revision: revisionOf(record), ...contentOf<LiveRoute & { revision?: number }>(record) };
}

/** The number of the history: another one in a cluster that was restored, as etcd then gives itself another id. */
export function historyOf(random: string, cluster: string): bigint {
  return createHash("sha256").update(`${random} ${cluster}`).digest().readBigUInt64LE();
}

export type Operation = { request_put: { key: string; value: string } } | { request_delete_range: { key: string } };

/** etcd's operations. */
export function operationsOf(change: { set: readonly LiveRoute[]; delete: readonly string[] }): Operation[] {
  return [
    ...change.set.map((route) => ({
      request_put: { key: base64(ROUTES + route.id), value: base64(JSON.stringify(route)) },
    })),
    ...change.delete.map((id) => ({ request_delete_range: { key: base64(ROUTES + id) } })),
  ];
}
