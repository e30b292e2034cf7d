import type { Command, CommanderError } from "commander";
import { UsageError } from "../../shared/errors.ts";
import type { Io } from "../../shared/io.ts";

/** Adds one command, or one group of commands, to its parent. A group hands `wanted` on to `addCommands`. */
export type Register = (parent: Command, io: Io, wanted: Wanted) => void | Promise<void>;

/** Whether the command of this name is to be loaded. */
export type Wanted = (name: string) => boolean;

/** A command as the list of its parent's help has it, and where the rest of it is. */
export interface Entry {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  load: () => Promise<Register>;
}

/** Adds the commands that are wanted. The others stand in the parent's help, and what they need is not loaded. */
export async function addCommands(parent: Command, entries: readonly Entry[], io: Io, wanted: Wanted): Promise<void> {
  for (const { name, summary, load } of entries) {
    if (wanted(name)) {
      const register = await load();
      await register(parent, io, wanted);
      parent.commands.at(-1)?.summary(summary);
    } else parent.command(name).summary(summary);
  }
}

interface CommandDefinition {
  /** Name and arguments as commander reads them: `publish <url>`. */
  usage: string;
  /** What it does, needs and leaves behind. */
  description: string;
  /** Pairs of a purpose and the command line that serves it. */
  examples: [purpose: string, line: string][];
}

export function defineCommand(parent: Command, { usage, description, examples }: CommandDefinition): Command {
  const command = parent.command(usage).description(description);
  command.addHelpText("after", `\nExamples:\n${examples.map(([why, line]) => `  # ${why}\n  ${line}\n`).join("\n")}`);
  return explainUsage(command);
}

/** Turns what commander refuses into a UsageError that names the help to read. */
export function explainUsage(command: Command): Command {
  return command.exitOverride((refusal: CommanderError) => {
    if (refusal.exitCode === 0 || refusal.code === "commander.help") throw refusal;
    const [what = "", suggestion] = refusal.message.replace(/^error: /, "").split("\n");
    const help = `see \`${pathOf(command)} --help\``;
    const guess = suggestion?.replace(/^\(Did you mean (.*)\?\)$/, "did you mean $1?");
    throw new UsageError(what, { next: guess ? `${guess} Otherwise ${help}` : help, cause: refusal });
  });
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}
