import type { Cluster } from "../../shared/cluster/cluster.ts";
import { type KubeObject, title } from "../../shared/cluster/object.ts";
import { KeywayError } from "../../shared/errors.ts";
import type { DryRun } from "../cli/flags.ts";
import { type Done, type ExecuteOptions, execute, rehearse } from "../execute/execute.ts";
import { editsOf } from "../manifests/edits.ts";
import { filterRef, pluginRef } from "../manifests/kinds.ts";
import { isOwned } from "../manifests/ownership.ts";
import { type Parts, planRemoval } from "../plan/removal.ts";

export interface RemoveOptions extends Omit<ExecuteOptions, "force"> {
  namespace: string;
  name: string;
  /** Delete also what others have edited since. */
  edited: boolean;
  dryRun: DryRun | undefined;
}

/** Takes an installation off, all of it or nothing. */
export async function remove(options: RemoveOptions): Promise<Done[]> {
  const { cluster, namespace, name } = options;
  const parts: Parts = {
    plugin: await owned(cluster, pluginRef(namespace, name)),
    filter: await owned(cluster, filterRef(namespace, name)),
  };
  const objects = [parts.plugin, parts.filter].filter((object) => object !== undefined);
  if (!options.edited) refuseEdited(objects);
  const { dryRun } = options;
  const plan = planRemoval({ name, namespace }, parts);
  if (dryRun === undefined) return execute(plan, { ...options, force: false });
  if (dryRun === "server") await rehearse(plan, { cluster, force: false });
  return objects.map((object) => ({ object, outcome: "would be deleted" }));
}

async function owned(cluster: Cluster, ref: Parameters<Cluster["get"]>[0]): Promise<KubeObject | undefined> {
  const object = await cluster.get(ref);
  return object !== undefined && isOwned(object) ? object : undefined;
}

function refuseEdited(objects: KubeObject[]): void {
  const edited = objects.flatMap((object) =>
    editsOf(object).map(({ manager, fields }) => `\n  ${title(object)}: ${manager} wrote ${fields.join(", ")}`),
  );
  if (edited.length === 0) return;
  throw new KeywayError(`nothing was deleted, because others have edited what keyway made:${edited.join("")}`, {
    next: "save what you want to keep (`kubectl get -o yaml`), then run it again with --include-edited",
  });
}
