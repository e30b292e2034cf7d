import { defineCommand, type Register } from "../cli/command.ts";
import { type Format, outputOption } from "../cli/output.ts";
import {
  type ChangeFlags,
  changeFlags,
  type FilterFlags,
  filterFlags,
  type TableFlags,
  tableFlags,
  type WaitFlag,
  waitFlag,
} from "../cli/table-flags.ts";

interface Flags extends TableFlags, FilterFlags, ChangeFlags, WaitFlag {
  ignoreNotFound?: boolean;
  output: Format;
}

export const routeDelete: Register = (group, io) => {
  const command = defineCommand(group, {
    usage: "delete [ids...]",
    description: "Deletes routes, by their ids or by what they have in common. All of them go, or none.",
    examples: [
      ["a whole preview", "keyway route delete --key pr-42"],
      ["what would go?", "keyway route delete --owner ci --dry-run"],
      ["one route, if it is there", "keyway route delete alice --ignore-not-found"],
    ],
  });
  tableFlags(waitFlag(changeFlags(filterFlags(command))))
    .option("--ignore-not-found", "an id that is not there is no failure")
    .addOption(outputOption())
    .action(async (ids: string[], flags: Flags) => {
      const { openTable } = await import("../route-table/open.ts");
      const { chosenRoutes } = await import("../route-table/chosen.ts");
      const { planDelete } = await import("../route-table/plan.ts");
      const { change } = await import("../route-table/change.ts");
      const table = await openTable(flags, io);
      const routes =
        flags.ignoreNotFound && ids.length > 0 ? await table.get(ids) : await chosenRoutes(table, ids, flags);
      await change(io, table, planDelete(routes), { ...flags, placeOf: (id) => id, mend: "run the command again" });
    });
};
