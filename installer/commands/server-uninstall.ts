import { defineCommand, type Register } from "../cli/command.ts";
import { connectAdministrator, withDeadline } from "../cli/connect.ts";
import { type DryRun, dryRunOption, timeoutFlag } from "../cli/flags.ts";
import { type Format, outputOption } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { type ServerPlaceFlags, serverPlaceFlags } from "../cli/server-flags.ts";
import { printRemoved } from "../print/outcomes.ts";

interface Flags extends ServerPlaceFlags {
  withResources?: boolean;
  dryRun?: DryRun;
  timeout: number;
  output: Format;
}

export const serverUninstall: Register = (group, unlimited) => {
  const command = defineCommand(group, {
    usage: "uninstall",
    description:
      "Deletes what `keyway server install` made; the cluster is then as before. Routes and Sandboxes that people have made are told, and nothing is " +
      "deleted while there are any, unless --with-resources says so. Proxies that followed the server serve on from the table that they have: " +
      "take the filter off first, with `keyway uninstall`. The custom resources stay while another namespace has a server.",
    examples: [
      ["the server in keyway-system", "keyway server uninstall"],
      ["only look", "keyway server uninstall --dry-run"],
      ["with all routes and previews", "keyway server uninstall --with-resources"],
    ],
  });
  timeoutFlag(serverPlaceFlags(command), 120)
    .option("--with-resources", "delete all Routes and Sandboxes of the cluster as well")
    .addOption(dryRunOption())
    .addOption(outputOption())
    .action(async (flags: Flags) => {
      const io = withDeadline(unlimited, flags.timeout);
      const { planServerRemoval, refuseResources, removeServer } = await import("../server-install/remove.ts");
      const { noServer } = await import("../server-install/installed.ts");
      const cluster = await connectAdministrator(flags, io);
      const plan = await planServerRemoval(cluster, flags.namespace);
      if (plan.objects.length === 0) throw noServer(flags.namespace);
      if (!flags.withResources) refuseResources(plan);
      const steps = progress(io);
      for (const kept of plan.kept) steps.warn(`stays: ${kept}`);
      const [all, outcome] = [[...plan.resources, ...plan.objects], flags.dryRun ? "would be deleted" : "deleted"];
      if (flags.dryRun === undefined) await removeServer(cluster, plan, { signal: io.signal, steps });
      printRemoved(
        io,
        flags.output,
        all.map((object) => ({ object, outcome })),
      );
    });
};
