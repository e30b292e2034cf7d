// The source itself: what `npm run check` asks, one test each.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };

const root = join(import.meta.dirname, "..", "..");

test.each(manifest.scripts.check.split(" && "))("%s", (command) => {
  const PATH = `${join(root, "node_modules", ".bin")}:${process.env.PATH}`;
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, PATH },
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
});
