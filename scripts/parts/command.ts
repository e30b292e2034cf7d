// Runs a program that must succeed.
import { spawn } from "node:child_process";

/** What the program writes to stdout. On failure the error holds the end of its stderr. */
export async function run(
  program: string,
  args: string[],
  { cwd, env, input }: { cwd?: string; env?: NodeJS.ProcessEnv; input?: string } = {},
): Promise<string> {
  const child = spawn(program, args, { ...(cwd && { cwd }), ...(env && { env }), stdio: "pipe" });
  const written = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (written.out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (written.err += text));
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code === 0) return written.out;
  throw new Error(`${[program, ...args].join(" ")} ended with code ${code}: ${written.err.trim().slice(-2000)}`);
}
