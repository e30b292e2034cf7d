import { KeywayError, UsageError } from "../../shared/errors.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { connectCluster, withDeadline } from "../cli/connect.ts";
import {
  type ClusterFlags,
  clusterFlags,
  type DryRun,
  dryRunOption,
  nameFlag,
  type WaitFlags,
  waitFlags,
} from "../cli/flags.ts";
import { type Format, outputOption } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { printRemoved } from "../print/outcomes.ts";

interface Flags extends ClusterFlags, WaitFlags {
  name: string;
  all?: boolean;
  includeEdited?: boolean;
  dryRun?: DryRun;
  output: Format;
}

export const uninstall: Register = (program, unlimited) => {
  const command = defineCommand(program, {
    usage: "uninstall",
    description:
      "Deletes what `keyway install` made, the filter first and its route when no proxy uses it any more; the cluster is then as " +
      "before. What others have edited since is told and left as it is, unless --include-edited says otherwise.",
    examples: [
      ["the installation in a namespace", "keyway uninstall -n demo"],
      ["one of several", "keyway uninstall -n demo --name keyway-reviews"],
      ["all of a namespace, as a trial", "keyway uninstall -n demo --all --dry-run"],
    ],
  });
  nameFlag(clusterFlags(command));
  waitFlags(command, 120)
    .option("--all", "every installation in the namespace")
    .option("--include-edited", "delete also what others have edited since")
    .addOption(dryRunOption())
    .addOption(outputOption())
    .action(async (flags: Flags) => {
      const io = withDeadline(unlimited, flags.timeout);
      const { installedNames, installedPods } = await import("../lifecycle/installed.ts");
      const { remove } = await import("../lifecycle/remove.ts");
      if (flags.all && command.getOptionValueSource("name") === "cli") {
        throw new UsageError("--all and --name exclude each other");
      }
      const cluster = await connectCluster(flags, io);
      const namespace = flags.namespace ?? cluster.namespace;
      const there = await installedNames(cluster, namespace);
      const names = flags.all ? there : there.filter((name) => name === flags.name);
      if (names.length === 0) throw nothingThere(flags, namespace, there);
      const { dryRun, wait, includeEdited: edited = false } = flags;
      const removed = [];
      for (const name of names) {
        const listPods = await installedPods(cluster, namespace, name, flags.istioNamespace);
        const [steps, signal] = [progress(io), io.signal];
        const options = { cluster, namespace, name, listPods, edited, dryRun, wait, signal, steps };
        removed.push(...(await remove(options)));
      }
      printRemoved(io, flags.output, removed);
    });
};

function nothingThere({ name, all }: Flags, namespace: string, there: string[]): KeywayError {
  const what = all ? "no installation" : `no installation ${name}`;
  const next =
    there.length > 0
      ? `there is ${there.join(", ")}: choose with --name, or say --all`
      : "`keyway status -A` lists what there is";
  return new KeywayError(`there is ${what} in namespace ${namespace}`, { next });
}
