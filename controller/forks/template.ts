import type {
  V1Affinity,
  V1Container,
  V1LabelSelector,
  V1PodSpec,
  V1PodTemplateSpec,
  V1Volume,
} from "@kubernetes/client-node";
import type { BaselineTemplate } from "./baseline.ts";
import { type Labels, selects } from "./labels.ts";

/** A pod template that stands beside its baseline, and what of the baseline could not be taken over. */
export interface CopiedTemplate {
  template: V1PodTemplateSpec & { spec: V1PodSpec };
  remarks: string[];
}

export function copyTemplate(
  { annotations, spec, claims, labels: before }: BaselineTemplate,
  labels: Labels,
): CopiedTemplate {
  const remarks: string[] = [];
  const { hostNetwork, affinity, topologySpreadConstraints, ...rest } = structuredClone(spec);
  if (hostNetwork) remarks.push("hostNetwork: the copy has an address of its own, as it can't have the node's ports");
  const volumes = copyVolumes(spec, claims, remarks);
  const kept = affinity && awayFromOthers(affinity, before);
  const spread = topologySpreadConstraints?.filter(({ labelSelector = {} }) => !selects(labelSelector, before));
  const copied: V1PodSpec = {
    ...rest,
    containers: rest.containers.map((one) => copyContainer(one, remarks)),
    ...(rest.initContainers && { initContainers: rest.initContainers.map((one) => copyContainer(one, remarks)) }),
    ...(volumes.length > 0 && { volumes }),
    ...(kept && { affinity: kept }),
    ...(spread && spread.length > 0 && { topologySpreadConstraints: spread }),
  };
  const metadata = { labels, ...(Object.keys(annotations).length > 0 && { annotations }) };
  return { template: { metadata, spec: copied }, remarks };
}

/** A node has each of its ports once, and the baseline has it. An API server that applies a list by names takes each name once. */
function copyContainer({ ports, env, ...container }: V1Container, remarks: string[]): V1Container {
  const taken = (ports ?? []).flatMap(({ hostPort }) => hostPort ?? []);
  for (const port of taken) remarks.push(`hostPort ${port} of container ${container.name}: a node has it once`);
  return {
    ...container,
    ...(ports && { ports: ports.map(({ hostPort: _, hostIP: __, ...port }) => port) }),
    ...(env && { env: [...new Map(env.map((one) => [one.name, one])).values()] }),
  };
}

/** A claim belongs to the baseline: two programs that write into one would spoil its data. */
function copyVolumes(spec: V1PodSpec, claims: readonly string[], remarks: string[]): V1Volume[] {
  const others = (spec.volumes ?? []).filter(({ name }) => !claims.includes(name));
  const empty = (name: string) => ({ name, emptyDir: {} });
  for (const name of claims) {
    remarks.push(`volumeClaimTemplate ${name}: the copy's volume is empty, and goes with its pod`);
  }
  return [
    ...others.map((volume) => {
      const claim = volume.persistentVolumeClaim;
      if (claim === undefined || claim.readOnly || isOnlyRead(spec, volume.name)) return volume;
      remarks.push(
        `persistentVolumeClaim ${claim.claimName}: the copy's volume ${volume.name} is empty, and goes with its pod`,
      );
      return empty(volume.name);
    }),
    ...claims.map(empty),
  ];
}

function isOnlyRead({ containers, initContainers = [] }: V1PodSpec, volume: string): boolean {
  const mounts = [...containers, ...initContainers].flatMap(({ volumeMounts = [] }) => volumeMounts);
  return mounts.filter(({ name }) => name === volume).every(({ readOnly }) => readOnly === true);
}

/** Without the rules that keep the baseline's pods apart from each other: one copy has no likes, and must find a place beside them. */
function awayFromOthers({ podAntiAffinity, ...affinity }: V1Affinity, labels: Labels): V1Affinity | undefined {
  const isOfOthers = ({ labelSelector = {} }: { labelSelector?: V1LabelSelector }) => !selects(labelSelector, labels);
  const required = podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.filter(isOfOthers) ?? [];
  const preferred = (podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).filter(
    ({ podAffinityTerm }) => isOfOthers(podAffinityTerm),
  );
  const anti = {
    ...(required.length > 0 && { requiredDuringSchedulingIgnoredDuringExecution: required }),
    ...(preferred.length > 0 && { preferredDuringSchedulingIgnoredDuringExecution: preferred }),
  };
  const kept = { ...affinity, ...(Object.keys(anti).length > 0 && { podAntiAffinity: anti }) };
  return Object.keys(kept).length > 0 ? kept : undefined;
}
