import { KeywayError } from "../../shared/errors.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { connectCluster, withDeadline } from "../cli/connect.ts";
import {
  type CheckFlags,
  type ClusterFlags,
  checkFlags,
  clusterFlags,
  contentFlags,
  type InstallationFlags,
  nameFlag,
  scopeFlags,
  timeoutFlag,
} from "../cli/flags.ts";
import { emit, type Format, outputOption } from "../cli/output.ts";

interface Flags extends InstallationFlags, ClusterFlags, CheckFlags {
  name: string;
  insecure?: boolean;
  timeout: number;
  output: Format;
}

export const check: Register = (program, unlimited) => {
  const command = defineCommand(program, {
    usage: "check",
    description:
      "Examines the cluster; with the options of `keyway install` also what that would do; and where there is an installation, " +
      "whether every selected proxy runs it. Exit code 1 when a check that traffic depends on fails.",
    examples: [
      ["is this cluster fit, and may I", "keyway check -n demo"],
      ["would this installation work", "keyway check --module oci://… -n demo -l app=reviews -f routes.yaml"],
      ["the checks that fail", `keyway check -n demo -o json | jq '.[] | select(.status != "ok")'`],
    ],
  });
  for (const add of [clusterFlags, nameFlag, scopeFlags, contentFlags, checkFlags]) add(command);
  timeoutFlag(command, 120)
    .option("--insecure", "the registry speaks plain HTTP")
    .addOption(outputOption())
    .action(async (flags: Flags) => {
      const io = withDeadline(unlimited, flags.timeout);
      const { runChecks, failures, refuseUnknown } = await import("../check/check.ts");
      const { checkIds } = await import("../check/checks.ts");
      const { CheckContext } = await import("../check/context.ts");
      const { resultText } = await import("../check/print.ts");
      const { whatToCheck } = await import("../lifecycle/checked.ts");
      refuseUnknown(flags.ignore, checkIds);
      const cluster = await connectCluster(flags, io);
      const { checks, installation, live } = await whatToCheck(flags, cluster, io);
      const { istioNamespace, allowEmpty = false } = flags;
      const context = new CheckContext({
        cluster,
        installation,
        live,
        istioNamespace,
        allowEmpty,
        registry: flags,
        io,
      });
      const results = await runChecks(checks, context, { ignored: flags.ignore });
      emit(io, flags.output, results, () => `${results.map((one) => resultText(io, io.out, one)).join("\n")}\n`);
      const failed = failures(results);
      if (failed.length === 0) return;
      throw new KeywayError(
        `${failed.length} of ${results.length} checks fail: ${failed.map(({ id }) => id).join(", ")}`,
        {
          next: "follow the hints, then run it again",
        },
      );
    });
};
