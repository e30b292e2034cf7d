import { examine } from "../check/check.ts";
import { ofInstallation } from "../check/checks.ts";
import { Facts } from "../check/context.ts";
import { ignoring, refuse, resultText } from "../check/print.ts";
import type { ApplyFlags, CheckFlags, ClusterFlags, WaitFlags } from "../cli/flags.ts";
import type { Io } from "../cli/io.ts";
import { emit, type Format, table } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { type KubeObject, refOf, title } from "../cluster/object.ts";
import { envoyFilter } from "../manifests/envoyfilter.ts";
import type { Installation } from "../manifests/installation.ts";
import { PREVIOUS_ANNOTATION } from "../manifests/names.ts";
import { type Draft, nextVersion } from "../manifests/versions.ts";
import { type Applied, applyOwned, withoutBookkeeping } from "./apply.ts";
import { diffObjects } from "./diff.ts";
import type { Live } from "./installed.ts";
import { putIn } from "./put.ts";

export interface ChangeFlags extends ClusterFlags, WaitFlags, CheckFlags, ApplyFlags {
  insecure?: boolean;
  output: Format;
}

/** Makes the cluster what the draft says, or shows what that would be. The one way in for install, upgrade and rollback. */
export async function change(
  io: Io,
  cluster: Cluster,
  { draft, live, flags, otherwise }: { draft: Draft; live: Live | undefined; flags: ChangeFlags; otherwise: string },
): Promise<void> {
  const kept = live?.plugin.metadata?.annotations?.[PREVIOUS_ANNOTATION];
  const next = nextVersion(draft, live?.installation, kept, new Date());
  const objects: KubeObject[] = [envoyFilter(next.installation), next.plugin];
  const steps = progress(io);
  if (!next.canRollBack)
    steps.warn("the version before is too large to be kept: there will be no way back by --rollback");
  if (flags.diff) return showDiff(io, cluster, objects, flags);
  if (flags.dryRun === "client")
    return show(
      io,
      objects.map((object) => ({ object, outcome: "not sent" })),
      flags,
    );
  const facts = await checked(io, cluster, next.installation, flags);
  if (flags.dryRun === "server") return show(io, await rehearse(cluster, objects, flags), flags);
  const { proxies: pods } = await facts.selection();
  const { wait, timeout: timeoutSeconds, forceConflicts: force = false } = flags;
  show(
    io,
    await putIn({ cluster, ...next, pods, force, wait, timeoutSeconds, signal: io.signal, steps, otherwise }),
    flags,
  );
  steps.next(`\`keyway status -n ${draft.namespace}\` shows what the proxies do`);
}

async function checked(io: Io, cluster: Cluster, installation: Installation, flags: ChangeFlags): Promise<Facts> {
  const { istioNamespace, allowEmpty = false, insecure = false } = flags;
  const facts = new Facts({ cluster, installation, istioNamespace, allowEmpty, insecure, io });
  const steps = progress(io);
  const results = await examine(ofInstallation, facts, ({ description }) => steps.update(`checking: ${description}`));
  const judged = ignoring(results, flags.ignore);
  refuse(judged);
  for (const result of judged) if (result.status === "warning") io.err.write(`${resultText(io, io.err, result)}\n`);
  steps.done(`${judged.filter(({ status }) => status === "ok").length} conditions hold`);
  return facts;
}

async function rehearse(cluster: Cluster, objects: KubeObject[], flags: ChangeFlags): Promise<Applied[]> {
  const options = { dryRun: true, force: flags.forceConflicts === true };
  return Promise.all(objects.map((object) => applyOwned(cluster, object, options)));
}

/** For people what happened, for programs the objects, as `kubectl apply -f -` takes them. */
function show(io: Io, applied: { object: KubeObject; outcome: string }[], { output, dryRun }: ChangeFlags): void {
  const list = { apiVersion: "v1", kind: "List", items: applied.map(({ object }) => withoutBookkeeping(object)) };
  emit(io, output, list, () => {
    const rows = applied.map(({ object, outcome }) => [title(object), dryRun ? `${outcome} (dry run)` : outcome]);
    return table(io, ["object", "outcome"], rows);
  });
}

async function showDiff(io: Io, cluster: Cluster, objects: KubeObject[], flags: ChangeFlags): Promise<void> {
  const options = { dryRun: true, force: true };
  const texts = await Promise.all(
    objects.map(async (object) => {
      const before = await cluster.get(refOf(object));
      const after = flags.dryRun === "client" ? object : (await applyOwned(cluster, object, options)).object;
      return diffObjects(before, after, title(object));
    }),
  );
  io.out.write(texts.join(""));
  if (texts.every((text) => text === "")) progress(io).done("nothing would change");
}
