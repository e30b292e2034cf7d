import type { KubeObject } from "../../shared/cluster/object.ts";
import type { Plan, Step } from "./plan.ts";

/** What is there of an installation; undefined for what is gone already. */
export interface Parts {
  plugin: KubeObject | undefined;
  filter: KubeObject | undefined;
}

/** Takes an installation off: the filter first, and the guard route when no proxy selects any more. */
export function planRemoval({ name, namespace }: { name: string; namespace: string }, { plugin, filter }: Parts): Plan {
  const steps: Step[] = [];
  if (plugin !== undefined) {
    steps.push({ do: "delete", object: plugin });
    steps.push({ do: "wait", until: { is: "unfiltered" }, what: "connections without the filter" });
  }
  if (filter !== undefined) {
    steps.push({ do: "delete", object: filter });
    steps.push({ do: "wait", until: { is: "unrouted" }, what: "routes as before" });
  }
  return {
    name,
    namespace,
    steps,
    warnings: [],
    recoveryHint: "run the same command again: it goes on where this one ended",
  };
}
