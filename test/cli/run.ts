import { readFile, writeFile } from "node:fs/promises";
import { expect } from "vitest";
import type { Entry } from "../../installer/cli/command.ts";
import { run } from "../../installer/cli/program.ts";
import { commands } from "../../installer/commands/index.ts";
import type { Io } from "../../shared/io.ts";

export interface Run {
  code: number;
  out: string;
  err: string;
}

interface Setting {
  env?: Record<string, string>;
  input?: string;
  registered?: readonly Entry[];
  signal?: AbortSignal;
}

/** Runs one command line in this process, as without a terminal. */
export async function runCli(
  args: string[],
  { env = {}, input = "", registered = commands, signal = new AbortController().signal }: Setting = {},
): Promise<Run> {
  const written = { out: "", err: "" };
  const io: Io = {
    out: { write: (text) => (written.out += text) },
    err: { write: (text) => (written.err += text) },
    in: [input],
    env,
    signal,
  };
  return { code: await run(args, registered, io), ...written };
}

/** Compares with test/golden/cli/NAME.txt; with UPDATE_GOLDEN=1 writes it instead. */
export async function expectGolden(name: string, text: string): Promise<void> {
  const file = new URL(`../golden/cli/${name}.txt`, import.meta.url);
  if (process.env.UPDATE_GOLDEN) await writeFile(file, text);
  expect(text, `differs from test/golden/cli/${name}.txt; if it is meant to, run with UPDATE_GOLDEN=1`).toBe(
    await readFile(file, "utf8"),
  );
}

/** What a person sees of a run, in one text. */
export function transcript({ code, out, err }: Run): string {
  return `exit code ${code}\n--- stdout\n${out}--- stderr\n${err}`;
}
