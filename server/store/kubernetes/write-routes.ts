import type { LiveRoute } from "../../../routes/model/live-route.ts";
import { toResource } from "../../../routes/model/route-resource.ts";
import { statusOf } from "../../../shared/cluster/api-errors.ts";
import type { Cluster } from "../../../shared/cluster/cluster.ts";
import type { Ref } from "../../../shared/cluster/object.ts";
import { writeTogether } from "../../../shared/cluster/write-together.ts";
import { writeFailure } from "./failures.ts";
import type { Resource } from "./resource-table.ts";

/** A route to write over its resource as it is known; without a route that is deleted. */
export interface RouteWrite {
  ref: Ref;
  before: Resource | undefined;
  route?: LiveRoute;
}

export interface Written {
  /** Of what was put, each a resourceVersion. */
  versions: number[];
  /** What was deleted. */
  gone: { ref: Ref; uid: string | undefined }[];
}

/** Undefined where a resource is another one by now, so that nothing was written. Throws Unfit or Unavailable. */
export async function writeRoutes(
  cluster: Cluster,
  writes: readonly RouteWrite[],
  { takeBackMs, retryMs }: { takeBackMs: number; retryMs: number },
): Promise<Written | undefined> {
  const objects = writes.map(({ ref, before, route }) => {
    return { ref, before, wanted: route && resourceOf(route, ref, before) };
  });
  try {
    const after = await writeTogether(cluster, objects, { way: "replace", takeBackMs, retryMs });
    return {
      versions: after.flatMap((object) => (object ? [Number(object.metadata.resourceVersion)] : [])),
      gone: writes.flatMap(({ ref, before, route }) => (route ? [] : [{ ref, uid: before?.metadata.uid }])),
    };
  } catch (thrown) {
    if (statusOf(thrown) === 409) return undefined;
    throw writeFailure(thrown, cluster.server);
  }
}

function resourceOf(route: LiveRoute, { metadata: { name, namespace } }: Ref, before: Resource | undefined): Resource {
  const resource = toResource({ ...route, id: name }, namespace);
  if (before === undefined) return resource;
  // What others keep in the metadata stays: owner references, finalizers, annotations.
  const { managedFields: _, annotations = {}, ...metadata } = before.metadata;
  const others = Object.entries(annotations).filter(([key]) => !key.startsWith("keyway.dev/"));
  return {
    ...resource,
    metadata: {
      ...metadata,
      labels: resource.metadata.labels,
      annotations: { ...Object.fromEntries(others), ...resource.metadata.annotations },
    },
  };
}
