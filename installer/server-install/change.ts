import type { Cluster } from "../../shared/cluster/cluster.ts";
import { title } from "../../shared/cluster/object.ts";
import type { Io } from "../../shared/io.ts";
import type { ApplyFlags } from "../cli/flags.ts";
import { emit, type Format } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { SERVICE_NAME, type ServerChoice } from "../manifests/server/server.ts";
import { diffObjects } from "../print/diff.ts";
import { printApplied } from "../print/outcomes.ts";
import { applyServer, planned, planServer, rehearseServer, type ServerPlan } from "./apply.ts";
import { waitForServer } from "./wait.ts";

export interface ServerChangeFlags extends ApplyFlags {
  wait: boolean;
  output: Format;
}

/** Makes the server what was chosen, or shows what that would be: install and upgrade both come through here. */
export async function changeServer(
  io: Io,
  cluster: Cluster,
  choice: ServerChoice,
  flags: ServerChangeFlags,
): Promise<void> {
  const { forceConflicts: force = false, output } = flags;
  const steps = progress(io);
  const plan = await planServer(cluster, choice);
  if (flags.diff) return showDiff(io, cluster, plan, flags);
  if (flags.dryRun === "client") {
    return printApplied(
      io,
      output,
      plan.steps.map(({ object }) => ({ object, outcome: "not sent (dry run)" })),
    );
  }
  if (flags.dryRun === "server") {
    const tried = await rehearseServer(cluster, plan, force);
    if (plan.makesNamespace)
      steps.warn(`what goes into namespace ${choice.namespace} can't be tried before it is there`);
    return printApplied(
      io,
      output,
      tried.map(({ object, outcome }) => ({ object, outcome: `${outcome} (dry run)` })),
    );
  }
  const applied = await applyServer(cluster, plan, { force, steps });
  printApplied(io, output, applied);
  if (flags.wait) await waitForServer(cluster, choice.namespace, { signal: io.signal, steps });
  const address = `${SERVICE_NAME}.${choice.namespace}`;
  steps.next(
    `\`keyway install --server ${address} …\` has proxies follow it; \`kubectl explain sandbox\` says what a preview is`,
  );
}

async function showDiff(io: Io, cluster: Cluster, plan: ServerPlan, flags: ServerChangeFlags): Promise<void> {
  const pairs =
    flags.dryRun === "client"
      ? plan.steps.map(({ object, basedOn }) => ({ before: basedOn, after: object }))
      : await planned(cluster, plan, true);
  const diffs = pairs.map(({ before, after }) => ({
    object: title(after),
    diff: diffObjects(before, after, title(after)),
  }));
  emit(io, flags.output, diffs, () => diffs.map(({ diff }) => diff).join(""));
  if (diffs.every(({ diff }) => diff === "")) progress(io).done("nothing would change");
}
