import type { V1Deployment, V1Pod } from "@kubernetes/client-node";

/** How far a copy is. */
export interface CopyState {
  ready: boolean;
  reason?: string;
  message?: string;
}

/**
 * Whether all pods of the copy run what is asked for, as far as a Deployment tells; `hasEndpoints` is what the EndpointSlices of its Services
 * say, undefined where nobody has looked or there is no Service.
 */
export function stateOf(deployment: V1Deployment, hasEndpoints: boolean | undefined): CopyState {
  const { spec, status = {}, metadata } = deployment;
  const replicas = spec?.replicas ?? 1;
  if (replicas === 0)
    return { ready: false, reason: "NoReplicas", message: "replicas is 0, so no pod takes its requests" };
  const failure = status.conditions?.find(({ type }) => type === "ReplicaFailure");
  if (failure?.status === "True")
    return notReady("PodsRefused", `its pods are refused: ${failure.message}; ${mend(failure.message)}`);
  // Where nobody keeps the status of Deployments there are only the endpoints to go by.
  const isKept = status.observedGeneration !== undefined;
  if (!isKept && hasEndpoints !== undefined) return hasEndpoints ? { ready: true } : waiting(0, replicas);
  const { updatedReplicas = 0, availableReplicas = 0, observedGeneration = 0, replicas: all = 0 } = status;
  const isOld = observedGeneration < (metadata?.generation ?? 0);
  const running = isOld ? 0 : Math.min(updatedReplicas, availableReplicas);
  if (isOld || running < replicas || all > updatedReplicas) return waiting(running, replicas);
  return hasEndpoints === false ? waiting(0, replicas) : { ready: true };
}

function waiting(running: number, replicas: number): CopyState {
  return notReady(
    "Starting",
    `${Math.min(running, replicas)} of ${replicas} pods are ready with what the Sandbox asks for`,
  );
}

const notReady = (reason: string, message: string): CopyState => ({ ready: false, reason, message });

function mend(said = ""): string {
  return /exceeded quota/.test(said)
    ? "raise the ResourceQuota that it names, or delete Sandboxes that nobody needs"
    : "do what it asks for in the fork's containers, or ask whoever set it up";
}

/** What keeps the pods from running, of the newest that says so. */
export function troubleOf(pods: readonly V1Pod[]): { reason: string; message: string } | undefined {
  const newestFirst = [...pods].sort((a, b) => age(b) - age(a));
  for (const { metadata, status = {} } of newestFirst) {
    const scheduled = status.conditions?.find(({ type }) => type === "PodScheduled");
    if (scheduled?.status === "False") {
      return {
        reason: scheduled.reason ?? "Unschedulable",
        message: `pod ${metadata?.name} finds no node: ${scheduled.message ?? ""}`,
      };
    }
    const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
    for (const { name, state } of containers) {
      const { reason, message } = state?.waiting ?? {};
      if (reason === undefined || ON_ITS_WAY.includes(reason)) continue;
      return { reason, message: `container ${name} of pod ${metadata?.name}: ${message ?? reason}` };
    }
  }
  return undefined;
}

/** Why a container waits where nothing is wrong. */
const ON_ITS_WAY = ["ContainerCreating", "PodInitializing"];

function age({ metadata }: V1Pod): number {
  return metadata?.creationTimestamp ? new Date(metadata.creationTimestamp).getTime() : 0;
}
