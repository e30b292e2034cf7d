import type { V1LabelSelector, V1PodSpec, V1Service } from "@kubernetes/client-node";
import { SANDBOX_LABEL } from "../../routes/model/sandbox.ts";
import type { Diagnostic } from "../../routes/reading/diagnostic.ts";
import { matches } from "../../shared/cluster/labels.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import { isControllersOwn, type Labels, omit } from "./labels.ts";

/** What a copy is made from. */
export interface BaselineTemplate {
  labels: Labels;
  annotations: Record<string, string>;
  spec: V1PodSpec;
  /** Names of the volumes of which each pod has a claim of its own. */
  claims: string[];
}

/** A workload, as far as copies of it go. */
export interface Baseline {
  /** KIND/NAME. */
  title: string;
  name: string;
  namespace: string;
  template: BaselineTemplate;
  selector: V1LabelSelector;
  /** The labels that its pods have, each kind of pod once; without those that tell one pod from another. */
  pods: Labels[];
}

interface PodTemplate {
  metadata?: { labels?: Labels; annotations?: Record<string, string> };
  spec?: V1PodSpec;
}

interface PodMetadata {
  labels?: Labels;
}

/** Fields of Deployments, StatefulSets and Argo Rollouts. */
export interface Workload extends KubeObject {
  spec?: {
    template?: PodTemplate;
    selector?: V1LabelSelector;
    volumeClaimTemplates?: { metadata?: { name?: string } }[];
    workloadRef?: { apiVersion?: string; kind?: string; name?: string };
    strategy?: {
      canary?: { stableMetadata?: PodMetadata; canaryMetadata?: PodMetadata };
      blueGreen?: { activeMetadata?: PodMetadata; previewMetadata?: PodMetadata };
    };
  };
}

/** Annotations that tools leave in a pod template, and which say nothing of its pods. */
const LEFT_OUT = ["kubectl.kubernetes.io/restartedAt", "kubectl.kubernetes.io/last-applied-configuration"];

export function readBaseline({ kind, metadata, spec = {} }: Workload): Baseline | Diagnostic {
  const name = metadata?.name ?? "";
  const title = `${kind}/${name}`;
  const { template, selector, volumeClaimTemplates = [], strategy = {} } = spec;
  const refuse = (message: string): Diagnostic => ({ path: ["workload"], message });
  if (template?.spec === undefined || selector === undefined) return refuse(`${title} has no pod template of its own`);
  const { labels = {}, annotations = {} } = template.metadata ?? {};
  const owner = labels[SANDBOX_LABEL] ?? metadata?.labels?.[SANDBOX_LABEL];
  if (owner !== undefined)
    return refuse(`${title} is itself a copy, of Sandbox ${owner}; name the workload it is made from`);
  const { canary = {}, blueGreen = {} } = strategy;
  const roles = [canary.stableMetadata, canary.canaryMetadata, blueGreen.activeMetadata, blueGreen.previewMetadata];
  return {
    title,
    name,
    namespace: metadata?.namespace ?? "",
    template: {
      labels: omit(labels, isControllersOwn),
      annotations: omit(annotations, (key) => LEFT_OUT.includes(key)),
      spec: template.spec,
      claims: volumeClaimTemplates.map((claim) => claim.metadata?.name ?? ""),
    },
    selector,
    pods: [labels, ...roles.flatMap((role) => (role?.labels ? [{ ...labels, ...role.labels }] : []))],
  };
}

/** Whether requests to the Service reach pods of the workload, or one of them. */
export function isServedBy({ spec }: V1Service, { name, pods }: Baseline): boolean {
  const selector = spec?.selector ?? {};
  if (spec?.type === "ExternalName" || Object.keys(selector).length === 0) return false;
  const rest = omit(selector, isControllersOwn);
  if (Object.keys(rest).length > 0) return pods.some((labels) => matches(rest, labels));
  const pod = selector["statefulset.kubernetes.io/pod-name"] ?? "";
  return pod.startsWith(`${name}-`) && /^\d+$/.test(pod.slice(name.length + 1));
}
