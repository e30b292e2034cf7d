import type { KubeObject } from "../../shared/cluster/object.ts";

/** Bytes of JSON that an object may have: etcd takes requests of 1.5 MiB, and the API server adds what it keeps for itself. */
export const LARGEST_OBJECT = 1_500_000;

export function objectSize(object: KubeObject): number {
  return Buffer.byteLength(JSON.stringify(object));
}
