import { defineCommand, type Register } from "../cli/command.ts";
import { count, emit, type Format, outputOption } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import {
  connectForSandboxes,
  type PlaceFlags,
  type SandboxFilter,
  sandboxFilterFlags,
  sandboxPlaceFlags,
} from "../cli/sandbox-flags.ts";
import { chosenBy } from "../sandbox/chosen.ts";

interface Flags extends PlaceFlags, SandboxFilter {
  allNamespaces?: boolean;
  output: Format;
}

export const sandboxList: Register = (group, io) => {
  const command = defineCommand(group, {
    usage: "list",
    description:
      "Shows Sandboxes, and what those that are not in force wait for. What several flags say must all hold.",
    examples: [
      ["those of a namespace", "keyway sandbox list -n demo"],
      ["all of a team's", "keyway sandbox list --all-namespaces --label team=checkout"],
      ["for programs, with all conditions", "keyway sandbox list -o json"],
    ],
  });
  sandboxPlaceFlags(sandboxFilterFlags(command))
    .option("-A, --all-namespaces", "of all namespaces")
    .addOption(outputOption())
    .action(async (flags: Flags) => {
      const { Sandboxes } = await import("../sandbox/in-cluster.ts");
      const { sandboxData, sandboxTable } = await import("../print/sandboxes.ts");
      const cluster = await connectForSandboxes(flags, io);
      const namespace = flags.allNamespaces ? undefined : (flags.namespace ?? cluster.namespace);
      const sandboxes = (await new Sandboxes(cluster).list(namespace)).filter(chosenBy(flags));
      emit(io, flags.output, { sandboxes: sandboxes.map(sandboxData) }, () =>
        sandboxTable(io, sandboxes, { withNamespace: namespace === undefined }),
      );
      const where = namespace === undefined ? "any namespace" : `namespace ${namespace}`;
      if (sandboxes.length === 0) progress(io).done(`${count(0, "Sandbox", "Sandboxes")} in ${where}`);
    });
};
