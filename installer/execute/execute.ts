import type { Cluster } from "../../shared/cluster/cluster.ts";
import { type KubeObject, title } from "../../shared/cluster/object.ts";
import { count } from "../cli/output.ts";
import type { Progress } from "../cli/progress.ts";
import { type ApplyStep, applySteps, type Plan, type ProxyState, type Step } from "../plan/plan.ts";
import { whyNotLoaded, whyNotRouted, whyNotUnfiltered, whyNotUnrouted } from "../proxies/probes.ts";
import { FatalNotReady, notReadyError, type Probe, type WaitOptions, waitForProxies } from "../proxies/wait.ts";
import { type Applied, applyOwned, removeOwned, takeAllBack } from "./apply.ts";

export interface ExecuteOptions {
  cluster: Cluster;
  /** The pods whose proxies are waited for. */
  listPods: WaitOptions["listPods"];
  /** Takes back the fields that others have changed. */
  force: boolean;
  wait: boolean;
  signal: AbortSignal;
  steps: Progress;
}

export interface Done {
  object: KubeObject;
  outcome: string;
}

/**
 * Carries a plan out, step by step. Everything is tried by a server-side dry run before the first write. When a step fails before
 * all objects are there, or fails so that waiting can only make it worse, what was done is taken back.
 */
export async function execute(plan: Plan, options: ExecuteOptions): Promise<Done[]> {
  await rehearse(plan, options);
  const applied: Applied[] = [];
  const done: Done[] = [];
  const complete = applySteps(plan).length;
  for (const step of plan.steps) {
    try {
      if (step.do === "apply") {
        const one = await apply(step, options);
        applied.push(one);
        done.push(one);
      } else if (step.do === "delete") done.push(await remove(step.object, options));
      else if (options.wait) await waitUntil(plan, step, options);
    } catch (thrown) {
      if (applied.length < complete || thrown instanceof FatalNotReady)
        await takeAllBack(options.cluster, applied, options.steps);
      throw thrown;
    }
  }
  return done;
}

/** What the API server would make of every object; throws what it would refuse, in its own words. */
export async function rehearse(
  plan: Plan,
  { cluster, force }: Pick<ExecuteOptions, "cluster" | "force">,
): Promise<Applied[]> {
  const deleted = plan.steps.filter((step) => step.do === "delete");
  await Promise.all(deleted.map(({ object }) => removeOwned(cluster, object, { dryRun: true })));
  return Promise.all(applySteps(plan).map((step) => applyOwned(cluster, step, { dryRun: true, force })));
}

async function apply(step: ApplyStep, { cluster, force, steps }: ExecuteOptions): Promise<Applied> {
  steps.update(`applying ${title(step.object)}`);
  const applied = await applyOwned(cluster, step, { force });
  steps.done(`${title(step.object)} ${applied.outcome}`);
  return applied;
}

async function remove(object: KubeObject, { cluster, steps }: ExecuteOptions): Promise<Done> {
  await removeOwned(cluster, object);
  steps.done(`${title(object)} deleted`);
  return { object, outcome: "deleted" };
}

async function waitUntil(plan: Plan, step: Step & { do: "wait" }, options: ExecuteOptions): Promise<void> {
  const { steps } = options;
  const { what } = step;
  const { pods, notReady } = await waitForProxies({ ...options, what, probe: probeOf(plan, step.until) });
  const waiting = notReady.filter(({ lost }) => !lost);
  if (waiting.length > 0) throw notReadyError(waiting, pods.length, what, plan.recoveryHint);
  if (step.until.is !== "loaded") return;
  for (const { pod, why } of notReady) {
    steps.warn(
      `pod ${pod.namespace}/${pod.name} is not ready and its proxy does not answer, so it was left out: ${why}`,
    );
  }
  steps.done(`${what} runs in ${count(pods.length - notReady.length, "proxy", "proxies")}`);
}

function probeOf(plan: Plan, until: ProxyState): Probe {
  if (until.is === "guarded") return (proxy) => whyNotRouted(proxy, plan, until.mode, until.twins);
  if (until.is === "loaded") return (proxy) => whyNotLoaded(proxy, { ...plan, version: until.version });
  if (until.is === "unfiltered") return (proxy) => whyNotUnfiltered(proxy, plan);
  return (proxy) => whyNotUnrouted(proxy, plan);
}
