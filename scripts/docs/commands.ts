// The commands, from what commander knows of them.
import { Command, type Option } from "commander";
import { addCommands } from "../../installer/cli/command.ts";
import { commands } from "../../installer/commands/index.ts";
import type { Io } from "../../shared/io.ts";
import { code, page, table } from "./markdown.ts";

const nowhere = { write: () => {} };
const io: Io = { out: nowhere, err: nowhere, in: [], env: {}, signal: new AbortController().signal };

export async function commandReference(): Promise<string> {
  const program = new Command("keyway").helpCommand(false);
  await addCommands(program, commands, io, () => true);
  const intro =
    "`keyway COMMAND --help` says the same, with examples. Data goes to stdout, progress and next steps to stderr. " +
    "Exit code 0: done, 1: failed, 2: wrong usage.";
  return page("Commands", intro, ...below(program, "keyway"));
}

function below(parent: Command, path: string): string[] {
  const sorted = [...parent.commands].sort((a, b) => a.name().localeCompare(b.name()));
  return sorted.flatMap((command) => {
    const name = `${path} ${command.name()}`;
    return [...section(command, name), ...below(command, name)];
  });
}

function section(command: Command, name: string): string[] {
  const usage = command.commands.length > 0 ? `${name} COMMAND` : `${name} ${command.usage()}`;
  const options = command.options.filter(({ hidden }) => !hidden);
  const rows = options.map((option) => [code(option.flags), meaning(option)]);
  return [
    `## ${name}`,
    `    ${usage}`,
    command.description(),
    ...(rows.length > 0 ? [table(["flag", "meaning"], rows)] : []),
  ];
}

function meaning({
  description,
  argChoices,
  defaultValue,
  defaultValueDescription,
  mandatory,
  negate,
}: Option): string {
  const preset = defaultValueDescription ?? (isTold(defaultValue) && !negate ? String(defaultValue) : undefined);
  return [
    description,
    ...(argChoices ? [`one of ${argChoices.map(code).join(", ")}`] : []),
    ...(preset !== undefined ? [`default ${code(preset)}`] : []),
    ...(mandatory ? ["required"] : []),
  ].join("; ");
}

const isTold = (value: unknown) =>
  value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
