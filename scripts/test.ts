// npm test [-- [--tier NAME]... [-t NAME] [FILE]...]: runs the tests, after a build where one of them needs it, and ends with one
// line that counts them. Without --tier all tiers run.
import "./uncaught.ts";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { createVitest, type TestModule, type Vitest } from "vitest/node";
import { parseArguments } from "./test/arguments.ts";
import { TIERS, type TierName } from "./test/tiers.ts";

type Count = { passed: number; failed: number };

const { tiers, files, options } = parseArguments(process.argv.slice(2));
const vitest = await createVitest("test", { ...options, watch: false, ...(tiers.length > 0 && { project: tiers }) });
const { passed, failed } = await counted(vitest);
await vitest.close();
// A run in which nothing passed is no success.
const code = passed > 0 && failed === 0 ? 0 : 1;
process.stdout.write(`${passed} passed, ${failed} failed\n`, () => process.exit(code));

async function counted(vitest: Vitest): Promise<Count> {
  const chosen = await vitest.globTestSpecifications(files);
  if (chosen.some(({ project }) => TIERS[project.name as TierName].built) && !build()) return { passed: 0, failed: 1 };
  await vitest.start(files);
  return countOf(vitest.state.getTestModules(), vitest.state.getUnhandledErrors().length);
}

function build(): boolean {
  return spawnSync(process.execPath, [join(import.meta.dirname, "build.ts")], { stdio: "inherit" }).status === 0;
}

/** `stray` errors, those of no test, count as failed, and so does a file that can't be run. */
function countOf(modules: TestModule[], stray: number): Count {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const count = (state: string) => tests.filter((test) => test.result().state === state).length;
  const unrunnable = modules.filter((module) => module.errors().length > 0).length;
  // With -t the tests of other names are skipped, as they should be.
  const skipped = process.env.CI === "true" && options.testNamePattern === undefined ? count("skipped") : 0;
  if (skipped > 0) console.error(`keyway: ${skipped} tests were skipped, which counts as failed where CI=true`);
  return { passed: count("passed"), failed: count("failed") + unrunnable + stray + skipped };
}
