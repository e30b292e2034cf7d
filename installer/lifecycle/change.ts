import { type CheckResult, refuseUnknown, runChecks } from "../check/check.ts";
import { checkIds, ofInstallation } from "../check/checks.ts";
import { CheckContext } from "../check/context.ts";
import { refuse, resultText } from "../check/print.ts";
import type { ApplyFlags, CheckFlags, ClusterFlags, WaitFlags } from "../cli/flags.ts";
import type { Io } from "../cli/io.ts";
import type { Format } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { refOf, title } from "../cluster/object.ts";
import { applyOwned } from "../execute/apply.ts";
import { execute } from "../execute/execute.ts";
import type { Installation, Live } from "../manifests/installation.ts";
import { planInstallation } from "../plan/installation.ts";
import { appliedObjects, type Plan } from "../plan/plan.ts";
import type { DesiredState } from "../plan/versions.ts";
import { diffObjects } from "../print/diff.ts";
import { type ObjectOutcome, printApplied } from "../print/outcomes.ts";

export interface ChangeFlags extends ClusterFlags, WaitFlags, CheckFlags, ApplyFlags {
  module?: string;
  insecure?: boolean;
  output: Format;
}

export interface Change {
  desired: DesiredState;
  live: Live | undefined;
  flags: ChangeFlags;
  /** What to do when the proxies do not get the version in time. */
  recoveryHint: string;
}

/** Makes the cluster what is desired, or shows what that would be. The one way in for install, upgrade and rollback. */
export async function change(io: Io, cluster: Cluster, { desired, live, flags, recoveryHint }: Change): Promise<void> {
  const plan = planInstallation(desired, live, { now: new Date(), recoveryHint });
  const steps = progress(io);
  for (const warning of plan.warnings) steps.warn(warning);
  if (flags.diff) return showDiff(io, cluster, plan, flags);
  if (flags.dryRun === "client") {
    const outcomes = appliedObjects(plan).map((object) => ({ object, outcome: "not sent (dry run)" }));
    return printApplied(io, flags.output, outcomes);
  }
  const context = await checked(io, cluster, plan.next.installation, flags);
  if (flags.dryRun === "server") return printApplied(io, flags.output, await rehearse(cluster, plan, flags));
  const { proxies: pods } = await context.selection();
  const { wait, timeout: timeoutSeconds, forceConflicts: force = false } = flags;
  printApplied(
    io,
    flags.output,
    await execute(plan, { cluster, pods, force, wait, timeoutSeconds, signal: io.signal, steps }),
  );
  steps.next(`\`keyway status -n ${desired.namespace}\` shows what the proxies do`);
}

async function checked(
  io: Io,
  cluster: Cluster,
  installation: Installation,
  flags: ChangeFlags,
): Promise<CheckContext> {
  const { istioNamespace, allowEmpty = false, ignore } = flags;
  refuseUnknown(ignore, checkIds);
  const context = new CheckContext({ cluster, installation, istioNamespace, allowEmpty, registry: flags, io });
  const steps = progress(io);
  const tell = ({ description }: CheckResult) => steps.update(`checking: ${description}`);
  const results = await runChecks(ofInstallation, context, { ignored: ignore, tell });
  refuse(results);
  for (const result of results) if (result.status !== "ok") io.err.write(`${resultText(io, io.err, result)}\n`);
  steps.done(`${results.filter(({ status }) => status === "ok").length} checks pass`);
  return context;
}

async function rehearse(cluster: Cluster, plan: Plan, flags: ChangeFlags): Promise<ObjectOutcome[]> {
  const options = { dryRun: true, force: flags.forceConflicts === true };
  const tried = await Promise.all(appliedObjects(plan).map((object) => applyOwned(cluster, object, options)));
  return tried.map(({ object, outcome }) => ({ object, outcome: `${outcome} (dry run)` }));
}

async function showDiff(io: Io, cluster: Cluster, plan: Plan, flags: ChangeFlags): Promise<void> {
  const options = { dryRun: true, force: true };
  const texts = await Promise.all(
    appliedObjects(plan).map(async (object) => {
      const before = await cluster.get(refOf(object));
      const after = flags.dryRun === "client" ? object : (await applyOwned(cluster, object, options)).object;
      return diffObjects(before, after, title(object));
    }),
  );
  io.out.write(texts.join(""));
  if (texts.every((text) => text === "")) progress(io).done("nothing would change");
}
