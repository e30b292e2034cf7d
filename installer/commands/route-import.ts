import { InvalidArgumentError } from "commander";
import { parseDuration } from "../../routes/model/duration.ts";
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
  replace?: boolean;
  owner?: string;
  label?: string[];
  ttl?: string;
  output: Format;
}

export const routeImport: Register = (group, io) => {
  const command = defineCommand(group, {
    usage: "import",
    description:
      "Adds the routes of a file to those of the server, in one transaction, and deletes none. A route that is there already, and differs, " +
      "stops the import unless --replace is given.",
    examples: [
      ["what an installation had inline", "keyway route import -f routes.yaml --owner platform"],
      ["what another server had", "keyway route export --server a:8700 | keyway route import --server b:8700"],
    ],
  });
  remoteFlags(waitFlag(changeFlags(command)))
    .option("-f, --routes <file>", "route file; - reads stdin", "-")
    .option("--replace", "replace the routes that are there and differ")
    .option("--owner <name>", "whose the routes are that say none", parseName)
    .option("--label <name=value>", "a label for the routes without it; can be repeated", collect)
    .option("--ttl <duration>", "how long the routes live that do not say when they expire", parseTtl)
    .addOption(outputOption())
    .action(async (flags: Flags) => {
      const { openRemote } = await import("../route-table/open.ts");
      const { importFile } = await import("../route-table/apply-file.ts");
      await importFile(io, await openRemote(flags, io), flags);
    });
};

function parseTtl(text: string): string {
  if (parseDuration(text) === undefined) throw new InvalidArgumentError("expected a duration like 2h, 90m or 3d12h.");
  return text;
}
