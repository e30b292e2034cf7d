import type { KubeObject } from "../../shared/cluster/object.ts";

/** What people and Keyway write into an object, keys in one order, so that equal contents have equal JSON. */
export function contents(object: KubeObject): unknown {
  return sorted(withoutBookkeeping(object));
}

export function sameContents(a: KubeObject, b: KubeObject): boolean {
  return JSON.stringify(contents(a)) === JSON.stringify(contents(b));
}

/** An object without what the API server and Istio add to it. */
export function withoutBookkeeping(object: KubeObject): KubeObject & { spec?: unknown } {
  const { labels, annotations, name, namespace } = object.metadata ?? {};
  const { apiVersion, kind, spec } = object as KubeObject & { spec?: unknown };
  return { apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec };
}

/** A value with the keys of all its objects in one order. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}
