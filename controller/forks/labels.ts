import type { V1LabelSelector, V1LabelSelectorRequirement } from "@kubernetes/client-node";
import { matches } from "../../shared/cluster/labels.ts";

export type Labels = Record<string, string>;

/** Labels that controllers give to pods of their own, beside those of the pod template. */
const CONTROLLERS_OWN = [
  "pod-template-hash",
  "rollouts-pod-template-hash",
  "controller-revision-hash",
  "statefulset.kubernetes.io/pod-name",
  "apps.kubernetes.io/pod-index",
] as const;

export function isControllersOwn(key: string): boolean {
  return (CONTROLLERS_OWN as readonly string[]).includes(key);
}

/** Whether the mesh reads the label: whether a pod gets a sidecar, and which. A copy without it would be no copy. */
export function isOfTheMesh(key: string): boolean {
  return /^(?:[a-z]+\.)?istio\.io\//.test(key);
}

/** An empty selector selects everything, as everywhere in Kubernetes but in Services. */
export function selects({ matchLabels = {}, matchExpressions = [] }: V1LabelSelector, labels: Labels): boolean {
  return matches(matchLabels, labels) && matchExpressions.every((one) => holds(one, labels));
}

function holds({ key, operator, values = [] }: V1LabelSelectorRequirement, labels: Labels): boolean {
  const value = labels[key];
  if (operator === "Exists") return value !== undefined;
  if (operator === "DoesNotExist") return value === undefined;
  if (operator === "In") return value !== undefined && values.includes(value);
  return value === undefined || !values.includes(value);
}

export function keysOf({ matchLabels = {}, matchExpressions = [] }: V1LabelSelector): string[] {
  return [...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)];
}

export function omit(labels: Labels, isLeftOut: (key: string) => boolean): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !isLeftOut(key)));
}
