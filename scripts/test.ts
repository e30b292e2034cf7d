// npm test [-- FILTER...]: builds, runs every tier, and ends with one line that counts the tests.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { startVitest } from "vitest/node";

const built = spawnSync(process.execPath, [join(import.meta.dirname, "build.ts")], { stdio: "inherit" });
const { passed, failed } = built.status === 0 ? await tested(process.argv.slice(2)) : { passed: 0, failed: 1 };
// A run in which nothing passed is no success.
const code = passed > 0 && failed === 0 ? 0 : 1;
process.stdout.write(`${passed} passed, ${failed} failed\n`, () => process.exit(code));

async function tested(filters: string[]): Promise<{ passed: number; failed: number }> {
  const vitest = await startVitest("test", filters, { watch: false });
  const modules = vitest.state.getTestModules();
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const count = (state: string) => tests.filter((test) => test.result().state === state).length;
  const unrunnable = modules.filter((module) => module.errors().length > 0).length;
  const astray = vitest.state.getUnhandledErrors().length;
  const skipped = process.env.CI === "true" ? count("skipped") : 0;
  await vitest.close();
  if (skipped > 0) console.error(`keyway: ${skipped} tests were skipped, which counts as failed where CI=true`);
  return { passed: count("passed"), failed: count("failed") + unrunnable + astray + skipped };
}
