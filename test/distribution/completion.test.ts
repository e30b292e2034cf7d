// What zsh and fish themselves make of their scripts, with the command behind them.
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shells } from "../../scripts/parts/shells.ts";
import { startRoutes } from "../cli/routes.ts";
import { runCli } from "../cli/run.ts";

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL("../../installer/main.ts", import.meta.url));

// zsh completes only where somebody types: in a terminal, which its module zpty makes. Tab completes what was typed, and ^O writes the line down.
const TYPIST = `
zmodload zsh/zpty
zpty child "TERM=dumb zsh -f -i"
zpty -w child "PS1=; fpath=($HOME/functions \\$fpath); autoload -Uz compinit; compinit -u -d $HOME/dump; $SETUP; \\
  write-down() { print -r -- \\"\\$BUFFER\\" > $HOME/line; exit }; zle -N write-down; bindkey '^O' write-down; print READ''Y"
while zpty -r child line; do [[ $line == *READY* ]] && break; done
zpty -w -n child "$TYPED"$'\\t\\x0f'
while zpty -r child line; do print -r -- "$line"; done
`;

let home: string;
let programs: Awaited<ReturnType<typeof shells>>;

beforeAll(async () => {
  programs = await shells();
  home = await mkdtemp(join(tmpdir(), "keyway-completion-"));
  await mkdir(join(home, "bin"));
  await mkdir(join(home, "functions"));
  const program = join(home, "bin", "keyway");
  await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  await chmod(program, 0o755);
  for (const [shell, name] of [
    ["zsh", "keyway.zsh"],
    ["zsh", "functions/_keyway"],
    ["fish", "keyway.fish"],
  ] as const)
    await writeFile(join(home, name), (await runCli(["completion", shell])).out);
  await writeFile(join(home, "a routes.yaml"), "");
}, 300_000);
afterAll(() => rm(home, { recursive: true, force: true }));

/** The environment of a shell, and a route server with a route. */
async function surroundings() {
  const { url, put } = await startRoutes();
  await put("alice", { service: "ratings.shop:9080", key: "pr-42", to: "b" });
  const env = { HOME: home, PATH: `${join(home, "bin")}:${process.env.PATH}`, KEYWAY_SERVER: url, LANG: "C.UTF-8" };
  return { env, withServer: (text: string) => text.replace("$SERVER", url) };
}

describe.each([
  ["evaluated", 'source "$HOME/keyway.zsh"'],
  ["in a folder of functions", ":"],
])("zsh, with the script %s,", (_, setup) => {
  const typing = async (typed: string, { env }: Awaited<ReturnType<typeof surroundings>>) => {
    const own = { ...env, SETUP: setup.replace("$HOME", home), TYPED: typed };
    const { stdout } = await run(programs.zsh, ["-f", "-c", TYPIST], { env: own, cwd: home, timeout: 60_000 });
    return { shown: stdout, line: (await readFile(join(home, "line"), "utf8")).trimEnd() };
  };

  test.each([
    ["keyway completi", "keyway completion"],
    ["keyway route se", "keyway route set"],
    ["keyway route set reviews --mi", "keyway route set reviews --missing"],
    ["keyway route list --output=y", "keyway route list --output=yaml"],
    ["keyway route set rat", "keyway route set ratings.shop:9080"],
    ["keyway route set ratings.shop:9", "keyway route set ratings.shop:9080"],
    ["keyway route apply -f a", "keyway route apply -f a\\ routes.yaml"],
    ["keyway route delete --server '$SERVER' a", "keyway route delete --server '$SERVER' alice"],
  ])("completes %j", async (typed, wanted) => {
    const around = await surroundings();
    const { line } = await typing(around.withServer(typed), around);
    expect(line).toBe(around.withServer(wanted));
  });

  test("shows what each word means where there are several", async () => {
    const { shown, line } = await typing("keyway route exp", await surroundings());
    expect(line).toBe("keyway route exp");
    expect(shown).toMatch(/explain +-- say where a request goes/);
    expect(shown).toMatch(/export +-- print routes as a route file/);
  });
});

describe("fish", () => {
  const offered = async (typed: string) => {
    const { env, withServer } = await surroundings();
    const script = `source ${join(home, "keyway.fish")}; complete -C ${JSON.stringify(withServer(typed))}`;
    const { stdout, stderr } = await run(programs.fish, ["-N", "-c", script], { env, cwd: home, timeout: 60_000 });
    expect(stderr).toBe("");
    return stdout.split("\n").filter((line) => line !== "");
  };

  test.each([
    ["keyway completi", ["completion\tprint what lets bash, zsh or fish complete commands, flags …"]],
    ["keyway route ex", ["explain\tsay where a request goes, and why", "export\tprint routes as a route file"]],
    ["keyway route list --output=y", ["--output=yaml"]],
    ["keyway route set ratings.shop:9", ["ratings.shop:9080"]],
    ["keyway route apply -f a", ["a routes.yaml"]],
    ["keyway route set 'a b' --missing f", ["fail"]],
    ["keyway route delete --server '$SERVER' a", ["alice\tpr-42 of ratings.shop:9080"]],
  ])("completes %j", async (typed, wanted) => {
    expect(await offered(typed)).toEqual(wanted);
  });
});
