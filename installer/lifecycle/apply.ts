import { KeywayError } from "../cli/errors.ts";
import { apiMessage, explainApi, statusOf } from "../cluster/api-errors.ts";
import type { ApplyOptions, Cluster } from "../cluster/cluster.ts";
import { type KubeObject, refOf, title } from "../cluster/object.ts";
import { INSTANCE_LABEL, MANAGED_BY_LABEL } from "../manifests/names.ts";

export type Outcome = "created" | "configured" | "unchanged";

export interface Applied {
  object: KubeObject;
  outcome: Outcome;
}

/** Applies one object as its owner, unless somebody else made the one that bears its name. */
export async function applyOwned(cluster: Cluster, object: KubeObject, options: ApplyOptions = {}): Promise<Applied> {
  const before = await cluster.get(refOf(object));
  if (before !== undefined) refuseForeign(before);
  try {
    const after = await cluster.apply(object, options);
    return { object: after, outcome: outcome(before, after) };
  } catch (thrown) {
    throw statusOf(thrown) === 409
      ? conflict(object, thrown)
      : explainApi(thrown, cluster.server, `patch ${title(object)}`);
  }
}

export function isOwned({ metadata }: KubeObject): boolean {
  return metadata?.labels?.[MANAGED_BY_LABEL] === "keyway" && metadata.labels[INSTANCE_LABEL] === metadata.name;
}

export function refuseForeign(object: KubeObject): void {
  if (isOwned(object)) return;
  const makers = [...new Set(object.metadata?.managedFields?.map(({ manager }) => manager))].join(", ");
  throw new KeywayError(`${title(object)} exists and keyway did not make it`, {
    where: `${title(object)}, written by ${makers || "an unknown manager"}`,
    next: "choose another name with --name",
  });
}

function outcome(before: KubeObject | undefined, after: KubeObject): Outcome {
  if (before === undefined) return "created";
  return sameButForBookkeeping(before, after) ? "unchanged" : "configured";
}

/** A dry run's answer carries the resource version of what is there, so the contents decide. */
function sameButForBookkeeping(before: KubeObject, after: KubeObject): boolean {
  return JSON.stringify(contents(before)) === JSON.stringify(contents(after));
}

/** What people and Keyway write into an object, keys in one order. */
export function contents(object: KubeObject): unknown {
  return sorted(withoutBookkeeping(object));
}

/** An object without what the API server and Istio add to it. */
export function withoutBookkeeping(object: KubeObject): KubeObject & { spec?: unknown } {
  const { labels, annotations, name, namespace } = object.metadata ?? {};
  const { apiVersion, kind, spec } = object as KubeObject & { spec?: unknown };
  return { apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}

function conflict(object: KubeObject, thrown: unknown): KeywayError {
  return new KeywayError(
    `others have changed fields of ${title(object)} that keyway would set: ${apiMessage(thrown)}`,
    {
      where: title(object),
      next: "look with --diff, then take the fields back with --force-conflicts",
      cause: thrown,
    },
  );
}
