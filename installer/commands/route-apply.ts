import { defineCommand, type Register } from "../cli/command.ts";
import { parseName } from "../cli/flags.ts";
import { type Format, outputOption } from "../cli/output.ts";
import {
  type ChangeFlags,
  changeFlags,
  collect,
  remoteFlags,
  type TableFlags,
  type WaitFlag,
  waitFlag,
} from "../cli/table-flags.ts";

interface Flags extends Omit<TableFlags, "routes">, ChangeFlags, WaitFlag {
  routes: string;
  prune?: boolean;
  owner?: string;
  label?: string[];
  output: Format;
}

export const routeApply: Register = (group, io) => {
  const command = defineCommand(group, {
    usage: "apply",
    description:
      "Makes the routes of a file those of the server, in one transaction: new ones are created, those that differ replaced, and with " +
      "--prune those of the same owner or label that are not in the file any more deleted. Routes without an id get the one that " +
      "`keyway route set` would give them. Routes of the file whose time is over are passed over.",
    examples: [
      ["a team's routes, and nothing else of theirs", "keyway route apply -f routes.yaml --owner checkout --prune"],
      ["what would change?", "keyway route apply -f routes.yaml --owner checkout --prune --diff"],
      [
        "from one server to another",
        "keyway route list --server a:8700 -o json | keyway route apply -f - --server b:8700",
      ],
    ],
  });
  remoteFlags(waitFlag(changeFlags(command)))
    .requiredOption("-f, --routes <file>", "route file; - reads stdin")
    .option("--owner <name>", "whose the routes are: given to those that say none, and what --prune goes by", parseName)
    .option(
      "--label <name=value>",
      "a label of the routes: given to those without it, and what --prune goes by; can be repeated",
      collect,
    )
    .option("--prune", "delete routes of that owner and with these labels that are not in the file")
    .addOption(outputOption())
    .action(async (flags: Flags) => {
      const { openRemote } = await import("../route-table/open.ts");
      const { applyFile } = await import("../route-table/apply-file.ts");
      await applyFile(io, await openRemote(flags, io), flags);
    });
};
