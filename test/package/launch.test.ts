// What starts the command: `npx keyway` in a checkout, whichever Node.js the machine has.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { node } from "../../scripts/parts/node.ts";
import { ROOT, VERSION } from "../../shared/package.ts";

/** Too old for the command. */
const OLD = "20.20.0";

let old: string;
let elsewhere: string;
beforeAll(async () => {
  old = await node(OLD);
  elsewhere = mkdtempSync(join(tmpdir(), "keyway-package-"));
  for (const path of ["package.json", "build"]) cpSync(join(ROOT, path), join(elsewhere, path), { recursive: true });
}, 300_000);
afterAll(() => rmSync(elsewhere, { recursive: true }));

const run = (root: string, ...args: string[]) =>
  spawnSync(old, [join(root, "build", "keyway.mjs"), ...args], { encoding: "utf8", env: {} });

test("an old Node hands over to the checkout's own", () => {
  const { status, stdout, stderr } = run(ROOT, "--version");
  expect([status, stdout, stderr]).toEqual([0, `${VERSION}\n`, ""]);
});

test("exit code and output are the command's", () => {
  const { status, stdout, stderr } = run(ROOT, "frobnicate");
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toContain("unknown command 'frobnicate'");
});

test("an old Node without a checkout says in one line what is needed", () => {
  const { status, stdout, stderr } = run(elsewhere, "status");
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(
    /^keyway: this is Node\.js 20\.20\.0, and keyway needs \d+\.\d+\.\d+ or newer\n {2}next: {2}install a newer Node\.js and run it again\n$/,
  );
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s ends the command, not only what started it",
  async (signal) => {
    const silent = spawn("sleep", ["60"], { stdio: ["ignore", "pipe", "ignore"] });
    const child = spawn(old, [join(ROOT, "build", "keyway.mjs"), "render", "envoy", "-f", "-"], {
      stdio: [silent.stdout, "pipe", "ignore"],
      env: {},
    });
    // The output is closed when nobody holds it any more, so neither process is left.
    const gone = once(child, "close");
    // The command waits for its standard input. When it does is not told, so the signal is sent until it ends.
    const again = setInterval(() => child.kill(signal), 500);
    await gone;
    clearInterval(again);
    silent.kill();
  },
  20_000,
);
