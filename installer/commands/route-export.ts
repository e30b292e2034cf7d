import { Option } from "commander";
import { defineCommand, type Register } from "../cli/command.ts";
import { type Format, toJson } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { type FilterFlags, filterFlags, filterOf, remoteFlags, type TableFlags } from "../cli/table-flags.ts";

interface Flags extends Omit<TableFlags, "routes">, FilterFlags {
  output: Exclude<Format, "table">;
}

export const routeExport: Register = (group, io) => {
  const command = defineCommand(group, {
    usage: "export",
    description:
      "Prints routes as a route file, which `keyway route apply` and `keyway route import` read, and `keyway install` and `keyway render` as " +
      "well. An id that is the usual one is left out.",
    examples: [
      ["all of them", "keyway route export > routes.yaml"],
      ["a preview's", "keyway route export --key pr-42 > pr-42.yaml"],
    ],
  });
  remoteFlags(filterFlags(command))
    .addOption(new Option("-o, --output <format>", "how to print it").choices(["yaml", "json"]).default("yaml"))
    .action(async (flags: Flags) => {
      const { openRemote } = await import("../route-table/open.ts");
      const { fileEntries, routeFileYaml } = await import("../print/routes.ts");
      const table = await openRemote(flags, io);
      const steps = progress(io);
      const found = await table.list(filterOf(flags) ?? {}, (count) => steps.update(`${count} routes so far`));
      const routes = fileEntries(found.routes);
      io.out.write(flags.output === "json" ? toJson({ routes }) : routeFileYaml(routes));
      if (routes.length === 0) steps.done(`no such route in ${table.name}`);
    });
};
