// What etcd's gateway answers, as far as it is read here.
import type { KeyValue } from "./records.ts";

export interface RangeAnswer {
  header: { revision: string; cluster_id: string };
  kvs?: KeyValue[];
  more?: boolean;
}

export interface TxnAnswer {
  header: { revision: string };
  succeeded?: boolean;
  responses?: { response_range?: { kvs?: KeyValue[] } }[];
}

export interface WatchEvent {
  type?: "DELETE";
  kv: KeyValue;
}

export interface WatchAnswer {
  canceled?: boolean;
  cancel_reason?: string;
  compact_revision?: string;
  events?: WatchEvent[];
}

/** Calls a method of etcd's gateway. */
export type Call = <Answer>(path: string, body: object) => Promise<Answer>;
