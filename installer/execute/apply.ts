import { KeywayError } from "../cli/errors.ts";
import { apiMessage, explainApi, statusOf } from "../cluster/api-errors.ts";
import type { ApplyOptions, Cluster } from "../cluster/cluster.ts";
import { type KubeObject, refOf, title } from "../cluster/object.ts";
import { sameContents } from "../manifests/contents.ts";
import { refuseForeign } from "../manifests/ownership.ts";

export interface Applied {
  /** The object as the API server keeps it. */
  object: KubeObject;
  /** As it was before; undefined when there was none. */
  before: KubeObject | undefined;
  outcome: "created" | "configured" | "unchanged";
}

/** Applies one object as its owner, unless somebody else made the one that bears its name. */
export async function applyOwned(cluster: Cluster, object: KubeObject, options: ApplyOptions = {}): Promise<Applied> {
  const before = await cluster.get(refOf(object));
  if (before !== undefined) refuseForeign(before);
  try {
    const after = await cluster.apply(object, options);
    return { object: after, before, outcome: outcome(before, after) };
  } catch (thrown) {
    throw statusOf(thrown) === 409
      ? conflict(object, thrown)
      : explainApi(thrown, cluster.server, `patch ${title(object)}`);
  }
}

/** A dry run's answer carries the resource version of what is there, so the contents decide. */
function outcome(before: KubeObject | undefined, after: KubeObject): Applied["outcome"] {
  if (before === undefined) return "created";
  return sameContents(before, after) ? "unchanged" : "configured";
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
