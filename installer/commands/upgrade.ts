import { title } from "../../shared/cluster/object.ts";
import { KeywayError, UsageError } from "../../shared/errors.ts";
import type { Io } from "../../shared/io.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { connectCluster, withDeadline } from "../cli/connect.ts";
import {
  type ApplyFlags,
  applyFlags,
  type CheckFlags,
  type ClusterFlags,
  checkFlags,
  clusterFlags,
  contentFlags,
  type InstallationFlags,
  nameFlag,
  type WaitFlags,
  waitFlags,
} from "../cli/flags.ts";
import { type Format, outputOption } from "../cli/output.ts";
import type { Place } from "../lifecycle/desired.ts";
import type { Installation } from "../manifests/installation.ts";
import type { IWasmPlugin } from "../manifests/kinds.ts";

interface Flags extends InstallationFlags, ClusterFlags, WaitFlags, CheckFlags, ApplyFlags {
  name: string;
  rollback?: boolean;
  insecure?: boolean;
  output: Format;
}

export const upgrade: Register = (program, unlimited) => {
  const command = defineCommand(program, {
    usage: "upgrade",
    description:
      "Changes the module, the routes or anything else of an installation, and keeps the version that it replaces. " +
      "What is not said stays. With --rollback that version comes back, and the present one is kept instead.",
    examples: [
      ["a new module, the same routes", "keyway upgrade --module oci://… -n demo"],
      ["new routes, the same module", "keyway upgrade -f routes.yaml -n demo"],
      ["back to the version before", "keyway upgrade --rollback -n demo"],
    ],
  });
  for (const add of [clusterFlags, nameFlag, contentFlags, applyFlags, checkFlags, waitFlags]) add(command);
  command
    .option("--rollback", "return to the version before")
    .option("--insecure", "the registry speaks plain HTTP")
    .addOption(outputOption())
    .action(async (flags: Flags) => {
      const io = withDeadline(unlimited, flags.timeout);
      const { change } = await import("../lifecycle/change.ts");
      const { readLive } = await import("../lifecycle/installed.ts");
      const cluster = await connectCluster(flags, io);
      const { name, istioNamespace } = flags;
      const place = { cluster, namespace: flags.namespace ?? cluster.namespace, name, istioNamespace };
      const live = await readLive(cluster, place.namespace, place.name);
      const { plugin, installation } = live;
      if (plugin === undefined && live.filter !== undefined) {
        const { PLUGIN_MISSING } = await import("../check/plugin.ts");
        throw new KeywayError(PLUGIN_MISSING.what, { where: title(live.filter), next: PLUGIN_MISSING.next });
      }
      if (plugin === undefined || installation === undefined) {
        throw new KeywayError(`there is no installation ${place.name} in namespace ${place.namespace}`, {
          where: cluster.server,
          next: "`keyway status -A` lists what there is; `keyway install` makes one",
        });
      }
      const desired = flags.rollback ? await before(flags, plugin) : await changed(flags, place, installation, io);
      const recoveryHint = `\`keyway upgrade --rollback -n ${place.namespace}\` goes back to the version before`;
      await change(io, cluster, { desired, live, flags, recoveryHint });
    });
};

async function changed(flags: Flags, place: Place, live: Installation, io: Io) {
  const { desiredState } = await import("../lifecycle/desired.ts");
  const { pinModule } = await import("../check/module.ts");
  const desired = await desiredState(flags, place, live, io);
  return { ...desired, module: await pinModule(desired.module, flags, io) };
}

async function before(flags: Flags, plugin: IWasmPlugin) {
  if (saysContent(flags)) throw new UsageError("--rollback returns to a whole version: leave the other settings out");
  const { previousOf } = await import("../manifests/previous.ts");
  const previous = previousOf(plugin);
  if (previous !== undefined) return previous;
  throw new KeywayError("there is no version to go back to", {
    where: title(plugin),
    next: "give the settings that you want: `keyway upgrade --module URL -f FILE`",
  });
}

function saysContent({
  module,
  routes,
  server,
  serverTokenFile,
  phase,
  priority,
  imagePullSecret,
  failStrategy,
  served,
  cacheable,
}: Flags): boolean {
  return [
    ...[module, routes, server, serverTokenFile],
    ...[phase, priority, imagePullSecret, failStrategy, served, cacheable],
  ].some((said) => said !== undefined);
}
