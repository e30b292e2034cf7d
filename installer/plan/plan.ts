import type { KubeObject } from "../../shared/cluster/object.ts";
import type { Mode } from "../manifests/installation.ts";
import type { TwinPatch } from "../manifests/twin-patches.ts";

/** What every selected proxy is waited for: it has the guard route and the twins, it runs a version, it has drained the filter, it has lost
 * the guard route. */
export type ProxyState =
  | { is: "guarded"; mode: Mode; twins: readonly TwinPatch[] | undefined }
  | { is: "loaded"; version: number }
  | { is: "unfiltered" }
  | { is: "unrouted" };

/** One thing to do to the cluster, or to wait for. Steps are done in their order. */
export type Step =
  | ApplyStep
  /** The object as it was read: exactly that version is deleted. */
  | { do: "delete"; object: KubeObject }
  | { do: "wait"; until: ProxyState; what: string };

export interface ApplyStep {
  do: "apply";
  object: KubeObject;
  /** What was there when this was planned: whoever has changed it since is not overwritten. */
  basedOn: KubeObject | undefined;
}

/** All that a command will do to one installation, as data: it can be shown, tried, and carried out in parts. */
export interface Plan {
  name: string;
  namespace: string;
  steps: Step[];
  /** What a person should know before it is carried out. */
  warnings: string[];
  /** What to do when the proxies do not follow in time. */
  recoveryHint: string;
}

/** What a plan applies, in its order. */
export function applySteps({ steps }: Pick<Plan, "steps">): ApplyStep[] {
  return steps.filter((step) => step.do === "apply");
}
