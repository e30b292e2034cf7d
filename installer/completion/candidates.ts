import type { Command, Option } from "commander";

/** What may stand at a place of the command line: a word, and what it means. */
export interface Candidate {
  word: string;
  meaning: string;
}

/** Things of the live table that a word may name. */
export type OfRoutes = "id" | "key" | "owner" | "service" | "label";

/** Things of the Sandboxes of a namespace that a word may name. */
export type OfSandboxes = "sandbox" | "sandbox key";
export type Named = OfRoutes | OfSandboxes;

/** The words that may stand last, `files` for any file, or the things of the live table or of a cluster that may be named. */
export type Candidates = readonly Candidate[] | "files" | { named: Named };

/** Flags whose values are in the live table. */
const NAMED_BY_FLAG: Record<string, OfRoutes> = {
  "--key": "key",
  "--owner": "owner",
  "--service": "service",
  "--label": "label",
};

/** The same of commands about Sandboxes. */
const NAMED_OF_SANDBOXES: Record<string, OfSandboxes> = { "--key": "sandbox key" };

/** Commands whose arguments name routes by their ids, services or Sandboxes. */
const NAMED_BY_ARGUMENT: Record<string, Named> = {
  "route delete": "id",
  "route renew": "id",
  "route set": "service",
  "sandbox create": "sandbox",
  "sandbox delete": "sandbox",
};

/** What may stand in the place of the last of the words, which may be begun; the other words are whole. */
export function candidatesFor(program: Command, words: readonly string[]): Candidates {
  const whole = words.slice(0, -1);
  const begun = words.at(-1) ?? "";
  let command = program;
  const path: string[] = [];
  let pending: Option | undefined;
  for (const word of whole) {
    if (pending !== undefined) {
      pending = undefined;
      continue;
    }
    if (word.startsWith("-")) {
      const option = optionOf(command, word);
      pending = option !== undefined && takesNext(option, word) ? option : undefined;
      continue;
    }
    const sub = command.commands.find((one) => one.name() === word);
    if (sub === undefined) continue;
    command = sub;
    path.push(word);
  }
  if (pending !== undefined) return valuesOf(pending, path);
  const [, flag = "", value] = /^(--[^=]+)=(.*)$/s.exec(begun) ?? [];
  if (value !== undefined) {
    const option = optionOf(command, flag);
    const values = option === undefined ? [] : valuesOf(option, path);
    return Array.isArray(values) ? values.map((one: Candidate) => ({ ...one, word: `${flag}=${one.word}` })) : [];
  }
  if (begun.startsWith("-")) return flagsOf(command);
  if (command.commands.length > 0) {
    return command.commands.map((one) => ({ word: one.name(), meaning: one.summary() || one.description() }));
  }
  const named = NAMED_BY_ARGUMENT[path.join(" ")];
  if (named !== undefined) return { named };
  const [first] = command.registeredArguments;
  return first?.argChoices ? first.argChoices.map((word) => ({ word, meaning: "" })) : flagsOf(command);
}

function optionOf(command: Command, word: string): Option | undefined {
  const name = word.replace(/=.*/s, "");
  return command.options.find(({ long, short }) => long === name || short === name);
}

function takesNext({ required }: Option, word: string): boolean {
  return required && !word.includes("=");
}

function flagsOf(command: Command): Candidate[] {
  const flags = command.options.filter(({ hidden }) => !hidden);
  return [
    ...flags.map(({ long, short, description }) => ({ word: long ?? short ?? "", meaning: description })),
    { word: "--help", meaning: "display help for command" },
  ];
}

function valuesOf({ long, flags, argChoices }: Option, [group]: readonly string[]): Candidates {
  if (argChoices) return argChoices.map((word) => ({ word, meaning: "" }));
  const named = (group === "sandbox" ? NAMED_OF_SANDBOXES : NAMED_BY_FLAG)[long ?? ""];
  if (named !== undefined) return { named };
  return /<(?:file|path)>/.test(flags) ? "files" : [];
}
