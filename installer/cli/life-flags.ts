import { type Command, Option } from "commander";
import { parseName } from "./flags.ts";

/** How long something lives that is written: its texts are read with the rest of it. */
export function lifeFlags(command: Command, what: string): Command {
  return command
    .option("--ttl <duration>", `how long the ${what} lives from now on: 2h, 90m, 3d12h`, parseName)
    .addOption(
      new Option("--expires <date>", `when the ${what}'s life ends: 2030-01-31T12:00:00Z`)
        .argParser(parseName)
        .conflicts("ttl"),
    );
}
