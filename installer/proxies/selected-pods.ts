import type { V1Pod } from "@kubernetes/client-node";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import type { Installation } from "../manifests/installation.ts";
import { GATEWAY_NAME_LABEL, PROXY_CONTAINER } from "../manifests/names.ts";

/** A pod that an installation selects. */
export interface SelectedPod {
  namespace: string;
  name: string;
  /** Another pod may come by the same name. */
  uid: string;
  /** What the pods of one workload share: `Deployment reviews-v1`, or the pod alone. */
  workload: string;
  /** What the kubelet says; a pod whose node is lost is not ready. */
  ready: boolean;
  labels: Record<string, string>;
  /** Nothing but a proxy. */
  gateway: boolean;
  serviceAccount: string;
}

export interface Selection {
  /** Pods whose proxy runs: these must report. */
  proxies: SelectedPod[];
  /** Pods that are selected and have a proxy, but do not run yet. */
  pending: SelectedPod[];
  /** Pods that are selected and have no proxy that would look at these requests. */
  unmeshed: SelectedPod[];
}

/** The pods that an installation selects. In Istio's root namespace it selects in all namespaces. */
export async function selectPods(
  cluster: Cluster,
  { namespace, scope, mode }: Pick<Installation, "namespace" | "scope" | "mode">,
  istioNamespace: string,
): Promise<Selection> {
  const labels = "gateway" in scope ? { [GATEWAY_NAME_LABEL]: scope.gateway } : scope.labels;
  const labelSelector = Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
  const pods = await cluster.list<V1Pod>("v1", "Pod", {
    ...(namespace === istioNamespace ? {} : { namespace }),
    ...(labelSelector === "" ? {} : { labelSelector }),
  });
  const alive = pods.filter(({ metadata, status }) => !metadata?.deletionTimestamp && !isOver(status?.phase));
  const concerned = (pod: V1Pod) => hasProxy(pod) && !(mode === "inbound" && isGateway(pod));
  const meshed = alive.filter(concerned);
  return {
    proxies: meshed.filter(isRunning).map(selected),
    pending: meshed.filter((pod) => !isRunning(pod)).map(selected),
    unmeshed: alive.filter((pod) => !concerned(pod)).map(selected),
  };
}

function isOver(phase: string | undefined): boolean {
  return phase === "Succeeded" || phase === "Failed";
}

function isRunning({ status }: V1Pod): boolean {
  return status?.phase === "Running";
}

function isReady({ status }: V1Pod): boolean {
  return status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
}

function hasProxy({ spec }: V1Pod): boolean {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].some(({ name }) => name === PROXY_CONTAINER);
}

/** Nothing but a proxy: it is nobody's, and has no inbound side. */
function isGateway({ spec }: V1Pod): boolean {
  return spec?.containers.length === 1 && spec.containers[0]?.name === PROXY_CONTAINER;
}

function selected(pod: V1Pod): SelectedPod {
  const { name = "", namespace = "", uid = `${namespace}/${name}`, labels = {} } = pod.metadata ?? {};
  return {
    name,
    namespace,
    uid,
    labels,
    workload: workloadOf(pod),
    gateway: isGateway(pod),
    ready: isReady(pod),
    serviceAccount: pod.spec?.serviceAccountName ?? "default",
  };
}

/** A Deployment's pods belong to a ReplicaSet named after it and a hash. */
function workloadOf({ metadata }: V1Pod): string {
  const owner = metadata?.ownerReferences?.find(({ controller }) => controller);
  if (owner === undefined) return `Pod ${metadata?.name}`;
  const hash = metadata?.labels?.["pod-template-hash"];
  if (owner.kind === "ReplicaSet" && hash !== undefined && owner.name.endsWith(`-${hash}`)) {
    return `Deployment ${owner.name.slice(0, -hash.length - 1)}`;
  }
  return `${owner.kind} ${owner.name}`;
}
