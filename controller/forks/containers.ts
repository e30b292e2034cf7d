import type { V1Container, V1EnvVar, V1PodSpec, V1ResourceRequirements } from "@kubernetes/client-node";
import type { ContainerChange, Resources } from "../../routes/model/sandbox.ts";
import { type Diagnostic, didYouMean } from "../../routes/reading/diagnostic.ts";

/** The pod with its containers changed by name, init containers among them. */
export function changeContainers(spec: V1PodSpec, changes: readonly ContainerChange[]): V1PodSpec | Diagnostic[] {
  const names = [...spec.containers, ...(spec.initContainers ?? [])].map(({ name }) => name);
  const diagnostics = changes.flatMap(({ name }, index): Diagnostic[] => {
    const path = ["containers", index, "name"];
    if (!names.includes(name)) return [{ path, message: unknown(name, names) }];
    const isTwice = changes.findIndex((one) => one.name === name) < index;
    return isTwice ? [{ path, message: `container ${name} is named twice` }] : [];
  });
  if (diagnostics.length > 0) return diagnostics;
  const byName = new Map(changes.map((change) => [change.name, change]));
  const change = (container: V1Container) => changeContainer(container, byName.get(container.name));
  return {
    ...spec,
    containers: spec.containers.map(change),
    ...(spec.initContainers && { initContainers: spec.initContainers.map(change) }),
  };
}

function unknown(name: string, names: readonly string[]): string {
  const guess = didYouMean(name, names) || `; it has ${names.join(", ")}`;
  return `the pod template has no container ${name}${guess}`;
}

function changeContainer(container: V1Container, change: ContainerChange | undefined): V1Container {
  if (change === undefined) return container;
  const { name: _, env, resources, ...others } = change;
  return {
    ...container,
    ...others,
    ...(env && { env: mergeEnv(container.env ?? [], env) }),
    ...(resources && { resources: withTexts(resources) }),
  };
}

/** What is there keeps its place, as a later variable may speak of an earlier one. */
function mergeEnv(before: readonly V1EnvVar[], changes: readonly V1EnvVar[]): V1EnvVar[] {
  return [...new Map([...before, ...changes].map((one) => [one.name, one])).values()];
}

/** Quantities are texts or numbers to people, and texts to Kubernetes. */
function withTexts(resources: Resources): V1ResourceRequirements {
  const entries = Object.entries(resources).map(([bound, quantities]) => {
    return [bound, Object.fromEntries(Object.entries(quantities).map(([name, quantity]) => [name, String(quantity)]))];
  });
  return Object.fromEntries(entries);
}
