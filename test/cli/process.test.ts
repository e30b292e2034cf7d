// The command as a process: what it leaves behind, and what happens when nobody reads or stores what it says.
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startDouble } from "../registry/double.ts";
import { MODULE } from "../registry/subject.ts";

const MAIN = join(import.meta.dirname, "../../installer/main.ts");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyway-process-"));
  await writeFile(join(folder, "keyway.wasm"), MODULE);
});
afterAll(() => rm(folder, { recursive: true }));

interface Setting {
  env?: Record<string, string>;
  shut?: ("stdout" | "stderr")[];
  out?: "pipe" | number;
  /** When this file exists, the command is interrupted. */
  interruptAt?: string;
}

interface Ending {
  code: number | null;
  err: string;
  ms: number;
}

/** Runs the command; `shut` closes that stream's reading end as soon as the process has begun. */
function run(args: string[], { env = {}, shut = [], out = "pipe", interruptAt }: Setting = {}): Promise<Ending> {
  const begun = Date.now();
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    env: { PATH: process.env.PATH, HOME: folder, ...env },
    stdio: ["ignore", out, "pipe"],
  });
  let err = "";
  child.stderr?.on("data", (text) => {
    err += text;
  });
  for (const name of shut) child[name]?.destroy();
  if (interruptAt !== undefined) {
    const look = setInterval(() => {
      if (!existsSync(interruptAt)) return;
      clearInterval(look);
      child.kill("SIGINT");
    }, 20);
    child.once("exit", () => clearInterval(look));
  }
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, err, ms: Date.now() - begun })));
}

test.each([[["stdout"]], [["stderr"]], [["stdout", "stderr"]]] as ("stdout" | "stderr")[][][])(
  "publish goes on to its end when nobody reads %s",
  async (shut) => {
    // Three warnings on the way write to what is closed.
    let busy = 3;
    const registry = await startDouble(({ method }) =>
      method === "HEAD" && busy-- > 0 ? { status: 503, headers: { "retry-after": "0" } } : undefined,
    );
    const url = `oci://${registry.host}/team/keyway:1.0`;
    const { code } = await run(["publish", "--insecure", "--module", join(folder, "keyway.wasm"), url], { shut });
    await registry.stop();
    expect(registry.stored.has("team/keyway:1.0")).toBe(true);
    expect(code).toBe(0);
  },
);

test("output that finds no space is one line of error, not a stack", async () => {
  const full = openSync("/dev/full", "w");
  const { code, err } = await run(["render", "rbac", "-n", "demo", "--user", "jane"], { out: full });
  closeSync(full);
  expect(code).toBe(1);
  expect(err).toContain("keyway: can't write to standard output: no space is left on its device\n");
  expect(err).not.toMatch(/\n\s+at /);
});

test("a credential helper that there is not ends the command at once", async () => {
  await writeFile(join(folder, "config.json"), JSON.stringify({ credsStore: "absent" }));
  const { code, err, ms } = await run(
    ["publish", "--insecure", "--module", join(folder, "keyway.wasm"), "oci://127.0.0.1:9/team/keyway:1.0"],
    { env: { DOCKER_CONFIG: folder } },
  );
  expect(code).toBe(1);
  expect(err).toContain("the credential helper docker-credential-absent can't be run");
  expect(ms).toBeLessThan(15_000);
});

test("an interruption ends the command though a helper's own child still runs", async () => {
  const began = join(folder, "helper-began");
  await writeFile(join(folder, "config.json"), JSON.stringify({ credsStore: "slow" }));
  await writeFile(join(folder, "docker-credential-slow"), `#!/bin/sh\ntouch ${began}\nsleep 20\n`);
  await chmod(join(folder, "docker-credential-slow"), 0o755);
  const { code, err, ms } = await run(
    ["publish", "--insecure", "--module", join(folder, "keyway.wasm"), "oci://127.0.0.1:9/team/keyway:1.0"],
    { env: { DOCKER_CONFIG: folder, PATH: `${folder}:${process.env.PATH}` }, interruptAt: began },
  );
  expect([code, err]).toEqual([130, "keyway: interrupted\n"]);
  expect(ms).toBeLessThan(15_000);
});
