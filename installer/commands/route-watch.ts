import { defineCommand, type Register } from "../cli/command.ts";
import { type Format, outputOption } from "../cli/output.ts";
import { type FilterFlags, filterFlags, serverFlags, type TableFlags } from "../cli/table-flags.ts";

interface Flags extends TableFlags, FilterFlags {
  changesOnly?: boolean;
  output: Format;
}

export const routeWatch: Register = (group, io) => {
  const command = defineCommand(group, {
    usage: "watch",
    description:
      "Prints the routes that there are, then every change as it comes, until Ctrl-C. After a broken connection it goes on where it was; " +
      "where that is too long ago it prints the routes that there are anew, and says so. With -o json each line is one JSON object.",
    examples: [
      ["everything", "keyway route watch"],
      ["what becomes of a preview", "keyway route watch --key pr-42"],
      ["for programs", "keyway route watch --changes-only -o json"],
    ],
  });
  serverFlags(filterFlags(command))
    .option("--changes-only", "not the routes that there are already")
    .addOption(outputOption())
    .action(async (flags: Flags) => {
      const { openServer } = await import("../route-table/open.ts");
      const { watch } = await import("../route-table/watch.ts");
      await watch(io, await openServer(flags, io), flags);
    });
};
