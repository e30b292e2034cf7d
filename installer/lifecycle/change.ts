import { atOnce } from "../../shared/at-once.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { title } from "../../shared/cluster/object.ts";
import type { Io } from "../../shared/io.ts";
import { type CheckResult, refuseUnknown, runChecks } from "../check/check.ts";
import { checkIds, ofInstallation } from "../check/checks.ts";
import { CheckContext } from "../check/context.ts";
import { refuse, resultText } from "../check/print.ts";
import type { ApplyFlags, CheckFlags, ClusterFlags, WaitFlags } from "../cli/flags.ts";
import { emit, type Format } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { applyOwned } from "../execute/apply.ts";
import { execute, rehearse } from "../execute/execute.ts";
import type { Live } from "../manifests/installation.ts";
import { twinsAmong } from "../manifests/installed-twins.ts";
import type { TwinPatch } from "../manifests/twin-patches.ts";
import { NO_WATCHER, readWatcher } from "../module/watcher.ts";
import { planInstallation } from "../plan/installation.ts";
import { applySteps, type Plan } from "../plan/plan.ts";
import type { DesiredState } from "../plan/versions.ts";
import { diffObjects } from "../print/diff.ts";
import { type ObjectOutcome, printApplied } from "../print/outcomes.ts";
import { isFilterOf } from "../proxies/proxy-admin.ts";
import { selectPods } from "../proxies/selected-pods.ts";
import { twinsOfProxies } from "../proxies/twins.ts";

export interface ChangeFlags extends ClusterFlags, WaitFlags, CheckFlags, ApplyFlags {
  module?: string;
  insecure?: boolean;
  output: Format;
  watchModule?: string;
}

export interface Change {
  desired: DesiredState;
  live: Live;
  flags: ChangeFlags;
  /** What to do when the proxies do not get the version in time. */
  recoveryHint: string;
}

/** Makes the cluster what is desired, or shows what that would be. Install, upgrade and rollback all come through here. */
export async function change(io: Io, cluster: Cluster, { desired, live, flags, recoveryHint }: Change): Promise<void> {
  refuseUnknown(flags.ignore, checkIds);
  const steps = progress(io);
  const watcher = await readWatcher(flags.watchModule);
  if (watcher === undefined) steps.warn(NO_WATCHER);
  const twins = flags.dryRun === "client" ? undefined : await twinsFor(io, cluster, desired, live, flags);
  const options = { now: new Date(), recoveryHint, watcher, twins };
  let plan = planInstallation(desired, live, options);
  for (const warning of plan.warnings) steps.warn(warning);
  if (flags.diff) return showDiff(io, cluster, plan, flags);
  if (flags.dryRun === "client") {
    const outcomes = applySteps(plan).map(({ object }) => ({ object, outcome: "not sent (dry run)" }));
    return printApplied(io, flags.output, outcomes);
  }
  const { installation } = plan.next;
  const context = await checked(io, cluster, { installation, live: live.installation }, flags);
  if (flags.dryRun === "server") return printApplied(io, flags.output, await tried(cluster, plan, flags));
  const listPods = async () => (await selectPods(cluster, installation, flags.istioNamespace)).proxies;
  if (plan.next.unchanged && (await standInsOf(context)) > 0) {
    steps.done("an agent has not got the module: the same version is told to the proxies anew, under another number");
    plan = planInstallation(desired, live, { ...options, renew: true });
  }
  const { wait, forceConflicts: force = false } = flags;
  printApplied(io, flags.output, await execute(plan, { cluster, listPods, force, wait, signal: io.signal, steps }));
  steps.next(`\`keyway status -n ${desired.namespace}\` shows what the proxies do`);
}

/** The twins for the proxies' own routes; where no proxy reports its routes, the twins that are installed already. */
async function twinsFor(
  io: Io,
  cluster: Cluster,
  desired: DesiredState,
  live: Live,
  { istioNamespace }: ChangeFlags,
): Promise<readonly TwinPatch[] | undefined> {
  if (desired.mode === "inbound") return undefined;
  const { proxies: pods } = await selectPods(cluster, desired, istioNamespace);
  const made = await twinsOfProxies(cluster, desired, pods, io.signal);
  for (const remark of made?.remarks ?? []) progress(io).warn(`routes not kept: ${remark}`);
  if (made === undefined || made.asked > 0) return made?.patches;
  return twinsAmong(live.filter?.spec?.configPatches ?? []);
}

async function checked(
  io: Io,
  cluster: Cluster,
  about: Pick<CheckContext, "installation" | "live">,
  flags: ChangeFlags,
): Promise<CheckContext> {
  const { istioNamespace, allowEmpty = false, ignore } = flags;
  const context = new CheckContext({ cluster, ...about, istioNamespace, allowEmpty, registry: flags, io });
  const steps = progress(io);
  const tell = ({ description }: CheckResult) => steps.update(`checking: ${description}`);
  const results = await runChecks(ofInstallation, context, { ignored: ignore, tell });
  refuse(results);
  for (const result of results) if (result.status !== "ok") io.err.write(`${resultText(io, io.err, result)}\n`);
  steps.done(`${results.filter(({ status }) => status === "ok").length} checks pass`);
  return context;
}

/** Proxies whose agent could not pull the module. It asks the registry again when istiod tells it of another version. */
async function standInsOf(context: CheckContext): Promise<number> {
  const { name, namespace } = context.installation;
  const counts = await atOnce(16, await context.proxies(), async (proxy) => {
    const extensions = await proxy.extensions().catch(() => []);
    return extensions.filter((one) => isFilterOf(one.name, namespace, name) && one.replaced).length;
  });
  return counts.filter((count) => count > 0).length;
}

async function tried(cluster: Cluster, plan: Plan, flags: ChangeFlags): Promise<ObjectOutcome[]> {
  const applied = await rehearse(plan, { cluster, force: flags.forceConflicts === true });
  return applied.map(({ object, outcome }) => ({ object, outcome: `${outcome} (dry run)` }));
}

async function showDiff(io: Io, cluster: Cluster, plan: Plan, flags: ChangeFlags): Promise<void> {
  const options = { dryRun: true, force: true };
  const diffs = await Promise.all(
    applySteps(plan).map(async (step) => {
      const { object, basedOn } = step;
      const after = flags.dryRun === "client" ? object : (await applyOwned(cluster, step, options)).object;
      return { object: title(object), diff: diffObjects(basedOn, after, title(object)) };
    }),
  );
  emit(io, flags.output, diffs, () => diffs.map(({ diff }) => diff).join(""));
  if (diffs.every(({ diff }) => diff === "")) progress(io).done("nothing would change");
}
