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
  scopeFlags,
  type WaitFlags,
  waitFlags,
} from "../cli/flags.ts";
import { type Format, outputOption } from "../cli/output.ts";

interface Flags extends InstallationFlags, ClusterFlags, WaitFlags, CheckFlags, ApplyFlags {
  name: string;
  insecure?: boolean;
  output: Format;
}

export const install: Register = (program, unlimited) => {
  const command = defineCommand(program, {
    usage: "install",
    description:
      "Applies a WasmPlugin and an EnvoyFilter for the selected workloads, after checking everything that could break traffic, " +
      "and waits until every selected proxy runs this version. A connection that a caller opened before meets it when Envoy " +
      "has drained that connection. Run again, it changes what differs and nothing else.",
    examples: [
      ["the pods of one workload", "keyway install --module oci://… -n demo -l app=reviews -f routes.yaml"],
      [
        "the callers choose, in the whole namespace",
        "keyway install --module oci://… -n demo --mode outbound -f routes.yaml",
      ],
      [
        "both ways in the whole namespace, so that a trace gives keys back to services that drop them",
        "keyway install --module oci://… -n demo --mode both -f routes.yaml",
      ],
      [
        "a gateway of the Gateway API",
        "keyway install --module oci://… -n edge --target-ref gateway/public -f routes.yaml",
      ],
      ["only look", "keyway install --module oci://… -n demo -l app=reviews -f routes.yaml --diff"],
    ],
  });
  for (const add of [clusterFlags, nameFlag, scopeFlags, contentFlags, applyFlags, checkFlags, waitFlags]) add(command);
  command
    .option("--insecure", "the registry speaks plain HTTP")
    .addOption(outputOption())
    .action(async (flags: Flags) => {
      const io = withDeadline(unlimited, flags.timeout);
      const { change } = await import("../lifecycle/change.ts");
      const { readLive } = await import("../lifecycle/installed.ts");
      const { desiredState } = await import("../lifecycle/desired.ts");
      const { pinModule } = await import("../check/module.ts");
      const cluster = await connectCluster(flags, io);
      const { name, istioNamespace } = flags;
      const place = { cluster, namespace: flags.namespace ?? cluster.namespace, name, istioNamespace };
      const live = await readLive(cluster, place.namespace, place.name);
      const desired = await desiredState(withDefaults(flags), place, live.installation, io);
      const module = await pinModule(desired.module, flags, io);
      const recoveryHint = `\`keyway status -n ${place.namespace}\` looks again; \`keyway uninstall -n ${place.namespace}\` takes it off`;
      await change(io, cluster, { desired: { ...desired, module }, live, flags, recoveryHint });
    });
};

/** An installation is for exactly the workloads that this command line names, whatever was there before. */
function withDefaults(flags: Flags): Flags {
  const mode = flags.mode ?? (flags.targetRef === undefined ? "inbound" : "gateway");
  return flags.targetRef === undefined ? { ...flags, mode, selector: flags.selector ?? {} } : { ...flags, mode };
}
