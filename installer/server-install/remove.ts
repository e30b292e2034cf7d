// Takes a server out of a cluster again, all that it brought.
import { DOCUMENT_LABEL } from "../../routes/model/route-resource.ts";
import { leaseOf } from "../../routes/model/sandbox.ts";
import { isNotFound } from "../../shared/cluster/api-errors.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { type KubeObject, qualified, type Ref, refOf, title } from "../../shared/cluster/object.ts";
import { KeywayError } from "../../shared/errors.ts";
import { pause } from "../../shared/net/limit.ts";
import type { Progress } from "../cli/progress.ts";
import { removeOwned } from "../execute/apply.ts";
import { definitionObjects, namespaceOf, serverObjects } from "../manifests/server/objects.ts";
import { SERVER_LABEL, SERVER_NAME, type ServerChoice } from "../manifests/server/server.ts";
import { leftRights } from "./left-rights.ts";
import { isOfServer, isShared, refuseHelms } from "./ownership.ts";
import { CUSTOM_RESOURCES, removeResources } from "./resources.ts";

export interface RemovalPlan {
  namespace: string;
  /** Routes and Sandboxes, which go with their definitions. */
  resources: KubeObject[];
  /** In the order in which they go. */
  objects: KubeObject[];
  /** What stays, and why. */
  kept: string[];
}

const NOBODYS: Omit<ServerChoice, "namespace"> = { image: "-", replicas: 1, anonymous: [], arguments: [] };

/** What is there of the server in a namespace. */
export async function planServerRemoval(cluster: Cluster, namespace: string): Promise<RemovalPlan> {
  const choice = { ...NOBODYS, namespace };
  const own = await present(cluster, serverObjects(choice).toReversed().map(refOf));
  const objects = [...own.filter((object) => isOfServer(object, namespace)), ...(await leftRights(cluster, choice))];
  for (const object of objects) refuseHelms(object);
  const kept: string[] = [];
  const others = (await cluster.list("apps/v1", "Deployment", { labelSelector: SERVER_LABEL })).filter(
    (other) => other.metadata?.name === SERVER_NAME && other.metadata.namespace !== namespace,
  );
  const shared = (await present(cluster, definitionObjects().map(refOf))).filter(isShared);
  if (others.length > 0) {
    kept.push(`the custom resources: the server in namespace ${others[0]?.metadata?.namespace} uses them`);
  } else objects.push(...shared);
  // Last, when the pods that are about to end may not make them anew any more; the leader of the servers has made the Lease.
  objects.push(...(await documentsIn(cluster, namespace)), ...(await present(cluster, [leaseOf(namespace)])));
  const [home] = await present(cluster, [refOf(namespaceOf(choice))]);
  if (home !== undefined && isOfServer(home, namespace)) {
    const inhabitant = await inhabitantOf(cluster, namespace, objects);
    if (inhabitant === undefined) objects.push(home);
    else kept.push(`namespace ${namespace}: ${title(inhabitant)} is in it, too`);
  }
  const goes = CUSTOM_RESOURCES.filter(({ kind }) => objects.some((object) => isDefinitionOf(object, kind)));
  const resources = (await Promise.all(goes.map((one) => listed(cluster, one)))).flat();
  return { namespace, resources, objects, kept };
}

/** What other systems' clients have said to the servers. */
async function documentsIn(cluster: Cluster, namespace: string): Promise<KubeObject[]> {
  return cluster.list<KubeObject>("v1", "ConfigMap", { namespace, labelSelector: DOCUMENT_LABEL });
}

/** Refuses to delete what people have made, unless they say so. */
export function refuseResources({ resources }: RemovalPlan): void {
  if (resources.length === 0) return;
  const names = resources.slice(0, 10).map((one) => `\n  ${one.kind} ${qualified(one.metadata)}`);
  const more = resources.length > 10 ? `\n  and ${resources.length - 10} more` : "";
  throw new KeywayError(
    `nothing was deleted, because these would go with the custom resources:${names.join("")}${more}`,
    {
      next: "save what you want to keep (`kubectl get -A -o yaml sandboxes.keyway.dev,routes.keyway.dev`), then run it again with --with-resources",
    },
  );
}

export async function removeServer(
  cluster: Cluster,
  { resources, objects }: RemovalPlan,
  { signal, steps }: { signal: AbortSignal; steps: Progress },
): Promise<void> {
  // The server that is still there takes forks away.
  await removeResources(cluster, resources, { signal, steps });
  for (const object of objects) {
    steps.update(`deleting ${title(object)}`);
    if (isWrittenByServers(object)) await cluster.remove(refOf(object));
    else await removeOwned(cluster, object);
    // The API server first deletes what there is of the kind.
    if (object.kind === "CustomResourceDefinition") await gone(cluster, object, signal);
    steps.done(`${title(object)} deleted`);
  }
}

/** Until the last of them has ended. */
function isWrittenByServers({ kind, metadata }: KubeObject): boolean {
  return kind === "Lease" || metadata?.labels?.[DOCUMENT_LABEL] !== undefined;
}

async function gone(cluster: Cluster, object: KubeObject, signal: AbortSignal): Promise<void> {
  while ((await cluster.get(refOf(object))) !== undefined) await pause(100, signal, `${title(object)} is still there`);
}

async function present(cluster: Cluster, refs: Ref[]): Promise<KubeObject[]> {
  const found = await Promise.all(refs.map((ref) => cluster.get<KubeObject>(ref)));
  return found.flatMap((object, at) => (object ? [{ ...object, ...kindOf(refs[at]) }] : []));
}

const kindOf = (ref: Ref | undefined) => ({ apiVersion: ref?.apiVersion ?? "", kind: ref?.kind ?? "" });

function isDefinitionOf(object: KubeObject & { spec?: { names?: { kind?: string } } }, kind: string): boolean {
  return object.kind === "CustomResourceDefinition" && object.spec?.names?.kind === kind;
}

/** None where the cluster does not have the kind. */
async function listed(
  cluster: Cluster,
  { apiVersion, kind }: { apiVersion: string; kind: string },
): Promise<KubeObject[]> {
  try {
    return await cluster.list<KubeObject>(apiVersion, kind);
  } catch (thrown) {
    if (isNotFound(thrown)) return [];
    throw thrown;
  }
}

/** What others have in a namespace that keyway made. */
const INHABITANTS = [
  ["v1", "Pod"],
  ["v1", "Service"],
  ["v1", "Secret"],
  ["v1", "ConfigMap"],
  ["apps/v1", "Deployment"],
  ["apps/v1", "StatefulSet"],
] as const;

async function inhabitantOf(
  cluster: Cluster,
  namespace: string,
  own: readonly KubeObject[],
): Promise<KubeObject | undefined> {
  const names = new Set(own.map(title));
  for (const [apiVersion, kind] of INHABITANTS) {
    const found = await cluster.list<KubeObject>(apiVersion, kind, { namespace });
    const other = found.find(
      (one) => !names.has(title(one)) && !isOfServer(one, namespace) && !isOfEveryNamespace(one),
    );
    if (other !== undefined) return other;
  }
  return undefined;
}

/** Kubernetes and Istio put their certificates into every namespace. */
function isOfEveryNamespace({ kind, metadata }: KubeObject): boolean {
  return kind === "ConfigMap" && /^(?:kube-root-ca\.crt|istio-.*)$/.test(metadata?.name ?? "");
}
