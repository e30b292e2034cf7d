import { Command, CommanderError } from "commander";
import { KeywayError, reason } from "../../shared/errors.ts";
import { colors, Interrupted, type Io } from "../../shared/io.ts";
import { VERSION } from "../../shared/package.ts";
import { addCommands, type Entry, explainUsage } from "./command.ts";

const description = `Routes requests that carry a routing key to the changed copy of a service, inside the Envoy that is already there.

Data goes to stdout, progress and next steps to stderr. Exit code 0: done, 1: failed, 2: wrong usage.`;

/** Runs one command line and returns the exit code. */
export async function run(args: readonly string[], commands: readonly Entry[], io: Io): Promise<number> {
  const program = explainUsage(new Command("keyway"))
    .description(description)
    .version(VERSION, "-V, --version")
    .configureHelp({ sortSubcommands: true, subcommandTerm: (command) => command.name() })
    .configureOutput({
      writeOut: (text) => io.out.write(text),
      writeErr: (text) => io.err.write(text),
      outputError: () => {},
      getOutHelpWidth: () => Math.min(io.out.columns ?? 100, 100),
      getErrHelpWidth: () => Math.min(io.err.columns ?? 100, 100),
      getOutHasColors: () => colors(io, io.out).isColorSupported,
      getErrHasColors: () => colors(io, io.err).isColorSupported,
    });
  try {
    await addCommands(program, commands, io, (name) => args.includes(name));
    await program.parseAsync(helpAsFlag(args, program), { from: "user" });
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    return report(thrown, io);
  }
}

/** `help route explain` means `route explain --help`. A name that a group does not have is left for the group to refuse. */
function helpAsFlag(args: readonly string[], program: Command): string[] {
  const [first, ...names] = args;
  if (first !== "help") return [...args];
  let command: Command | undefined = program;
  for (const name of names) {
    if (command.commands.length === 0) break;
    command = command.commands.find((one) => one.name() === name);
    if (command === undefined) return names;
  }
  return [...names, "--help"];
}

function report(thrown: unknown, io: Io): number {
  const { red, bold } = colors(io, io.err);
  if (io.signal.aborted) {
    io.err.write("keyway: interrupted\n");
    return io.signal.reason instanceof Interrupted ? io.signal.reason.exitCode : 130;
  }
  const mistake = thrown instanceof KeywayError;
  const next = mistake ? thrown.next : "this is a fault of keyway; run again with KEYWAY_DEBUG=1 and report the stack";
  io.err.write(`${red("keyway:")} ${mistake ? thrown.message : `unexpected: ${reason(thrown)}`}\n`);
  if (mistake && thrown.where) io.err.write(`  ${bold("where:")} ${thrown.where}\n`);
  if (next) io.err.write(`  ${bold("next:")}  ${next}\n`);
  if (io.env.KEYWAY_DEBUG && thrown instanceof Error) io.err.write(`${thrown.stack}\n`);
  return mistake ? thrown.exitCode : 1;
}
