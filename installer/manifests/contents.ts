import type { KubeObject } from "../../shared/cluster/object.ts";

/** What people and Keyway write into an object, keys in one order, so that equal contents have equal JSON. */
export function contents(object: KubeObject): unknown {
  return sorted(withoutBookkeeping(object));
}

export function sameContents(a: KubeObject, b: KubeObject): boolean {
  return JSON.stringify(contents(a)) === JSON.stringify(contents(b));
}

/** An object without what the API server and controllers add to it. */
export function withoutBookkeeping(object: KubeObject): KubeObject & { spec?: unknown } {
  const { status: _, metadata, ...rest } = object as KubeObject & { status?: unknown };
  const { labels, annotations, name, namespace } = metadata ?? {};
  return { ...rest, metadata: { name, namespace, labels, annotations } };
}

/** A value with the keys of all its objects in one order. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}
