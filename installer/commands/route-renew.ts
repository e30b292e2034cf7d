import { InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../../routes/model/duration.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { count, emit, type Format, outputOption } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { type FilterFlags, filterFlags, type TableFlags, tableFlags } from "../cli/table-flags.ts";

interface Flags extends TableFlags, FilterFlags {
  ttl: string;
  output: Format;
}

export const routeRenew: Register = (group, io) => {
  const command = defineCommand(group, {
    usage: "renew [ids...]",
    description: "Lets routes live for so long from now on, whatever they were to live before.",
    examples: [
      ["a whole preview, until tomorrow", "keyway route renew --key pr-42 --ttl 24h"],
      ["one route", "keyway route renew alice --ttl 90m"],
    ],
  });
  tableFlags(filterFlags(command))
    .addOption(
      new Option("--ttl <duration>", "how long from now on: 2h, 90m, 3d12h").argParser(parseTtl).makeOptionMandatory(),
    )
    .addOption(outputOption())
    .action(async (ids: string[], flags: Flags) => {
      const { openTable } = await import("../route-table/open.ts");
      const { chosenRoutes } = await import("../route-table/chosen.ts");
      const { routeTable } = await import("../print/routes.ts");
      const table = await openTable(flags, io);
      const chosen = (await chosenRoutes(table, ids, flags)).map(({ id }) => id);
      await table.renew(chosen, flags.ttl);
      if (flags.routes === "-") return;
      const routes = await table.get(chosen);
      emit(io, flags.output, { routes }, () => routeTable(io, routes));
      progress(io).done(`${count(routes.length, "route lives", "routes live")} for ${flags.ttl} from now on`);
    });
};

function parseTtl(text: string): string {
  if (parseDuration(text) === undefined) throw new InvalidArgumentError("expected a duration like 2h, 90m or 3d12h.");
  return text;
}
