import { count } from "../cli/output.ts";
import type { Progress } from "../cli/progress.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { type KubeObject, refOf, title } from "../cluster/object.ts";
import type { Plan, ProxyState, Step } from "../plan/plan.ts";
import { whyNotGuarded, whyNotLoaded, whyNotUnfiltered, whyNotUnrouted } from "../proxies/probes.ts";
import type { SelectedPod } from "../proxies/selected-pods.ts";
import { type Judge, lateError, settle } from "../proxies/wait.ts";
import { type Applied, applyOwned } from "./apply.ts";

export interface ExecuteOptions {
  cluster: Cluster;
  /** The proxies that are waited for. */
  pods: SelectedPod[];
  /** Takes back the fields that others have changed. */
  force: boolean;
  wait: boolean;
  /** How long each wait may take. */
  timeoutSeconds: number;
  signal: AbortSignal;
  steps: Progress;
}

export interface Done {
  object: KubeObject;
  outcome: string;
}

/** Carries a plan out, step by step. When a step fails before all objects are there, what was made is taken back. */
export async function execute(plan: Plan, options: ExecuteOptions): Promise<Done[]> {
  const applied: Applied[] = [];
  const done: Done[] = [];
  let toApply = plan.steps.filter((step) => step.do === "apply").length;
  for (const step of plan.steps) {
    try {
      if (step.do === "apply") {
        const one = await apply(step.object, options);
        applied.push(one);
        done.push(one);
        toApply--;
      } else if (step.do === "delete") done.push(await remove(step.object, options));
      else if (options.wait) await waitUntil(plan, step, options);
    } catch (thrown) {
      if (toApply > 0) await takeBack(applied, options.cluster);
      throw thrown;
    }
  }
  return done;
}

async function apply(object: KubeObject, { cluster, force, steps }: ExecuteOptions): Promise<Applied> {
  steps.update(`applying ${title(object)}`);
  const applied = await applyOwned(cluster, object, { force });
  steps.done(`${title(object)} ${applied.outcome}`);
  return applied;
}

async function remove(object: KubeObject, { cluster, steps }: ExecuteOptions): Promise<Done> {
  await cluster.remove(refOf(object), object.metadata?.resourceVersion);
  steps.done(`${title(object)} deleted`);
  return { object, outcome: "deleted" };
}

async function takeBack(applied: Applied[], cluster: Cluster): Promise<void> {
  for (const { object, outcome } of applied.reverse()) {
    if (outcome === "created") await cluster.remove(refOf(object));
  }
}

async function waitUntil(plan: Plan, step: Step & { do: "wait" }, options: ExecuteOptions): Promise<void> {
  const { pods, steps } = options;
  const late = await settle({ ...options, what: step.what, judge: probeOf(plan, step.until) });
  if (late.length > 0) throw lateError(late, pods.length, step.what, plan.recoveryHint);
  if (step.until.is === "loaded") steps.done(`${step.what} runs in ${count(pods.length, "proxy", "proxies")}`);
}

function probeOf(plan: Plan, until: ProxyState): Judge {
  if (until.is === "guarded") return (proxy) => whyNotGuarded(proxy, plan, until.mode);
  if (until.is === "loaded") return (proxy) => whyNotLoaded(proxy, { ...plan, version: until.version });
  if (until.is === "unfiltered") return (proxy) => whyNotUnfiltered(proxy, plan);
  return (proxy) => whyNotUnrouted(proxy, plan);
}
