import { defineCommand, type Register } from "../cli/command.ts";
import { emit, type Format, outputOption } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { type FilterFlags, filterFlags, filterOf, type TableFlags, tableFlags } from "../cli/table-flags.ts";

interface Flags extends TableFlags, FilterFlags {
  output: Format;
}

export const routeList: Register = (group, io) => {
  const command = defineCommand(group, {
    usage: "list",
    description: "Shows routes, by their ids. What several flags say must all hold.",
    examples: [
      ["all of them", "keyway route list"],
      ["what a preview consists of", "keyway route list --key pr-42"],
      ["for programs", "keyway route list --owner ci -o json"],
      ["of a namespace's Route resources", "keyway route list --kube -n demo"],
    ],
  });
  tableFlags(filterFlags(command))
    .addOption(outputOption())
    .action(async (flags: Flags) => {
      const { openTable } = await import("../route-table/open.ts");
      const { inReadingOrder, routeTable } = await import("../print/routes.ts");
      const table = await openTable(flags, io);
      const filter = filterOf(flags);
      const steps = progress(io);
      const { routes, revision } = await table.list(filter ?? {}, (count) => steps.update(`${count} routes so far`));
      emit(io, flags.output, { routes, ...(revision !== undefined && { revision }) }, () =>
        routeTable(io, inReadingOrder(routes)),
      );
      if (routes.length > 0) return;
      steps.done(`no route${filter ? " of this kind" : ""} in ${table.name}`);
    });
};
