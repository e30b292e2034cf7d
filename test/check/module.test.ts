import { expect, test } from "vitest";
import { runChecks } from "../../installer/check/check.ts";
import type { CheckContext } from "../../installer/check/context.ts";
import { moduleLoads, modulePulled } from "../../installer/check/module.ts";
import { moduleUnderstands } from "../../installer/check/understands.ts";
import { KeywayError } from "../../shared/errors.ts";

test("a module that can't be pulled, and shall not be, leaves nothing to look at and stops nothing", async () => {
  const context = { once: () => Promise.reject(new KeywayError("nothing listens")) } as unknown as CheckContext;
  const results = await runChecks([modulePulled, moduleLoads, moduleUnderstands], context, {
    ignored: ["module-pull"],
  });
  expect(results.map(({ id, status }) => `${id} ${status}`)).toEqual([
    "module-pull warning",
    "module-loads skipped",
    "module-fields skipped",
  ]);
});
