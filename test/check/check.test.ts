import { expect, test } from "vitest";
import { type Check, type CheckResult, failures, refuseUnknown, runChecks } from "../../installer/check/check.ts";
import { checkIds } from "../../installer/check/checks.ts";
import { isNewEnough } from "../../installer/check/istio.ts";
import { refuse } from "../../installer/check/print.ts";
import { targetsOf } from "../../installer/check/target.ts";
import { KeywayError } from "../../shared/errors.ts";

const check = (id: string, holds: boolean, more: Partial<Check<null>> = {}): Check<null> => ({
  id,
  description: `${id} holds`,
  severity: "fatal",
  hint: `mend ${id}`,
  run: async () => ({ holds }),
  ...more,
});

const lines = (results: CheckResult[]) => results.map(({ id, status }) => `${id} ${status}`);

const chain = [
  check("a", false),
  check("b", true, { needs: ["a"] }),
  check("c", true, { needs: ["b"] }),
  check("d", true),
];

test("a check that needs another is skipped when that one fails, and what needs it too", async () => {
  const results = await runChecks(chain, null);
  expect(lines(results)).toEqual(["a fatal", "b skipped", "c skipped", "d ok"]);
  expect(results[1]?.detail).toBe("not looked at: it needs a");
  expect(() => refuse(results)).toThrow("not looked at: b, c");
});

test("a check that is ignored stops none that need it, and is told", async () => {
  const results = await runChecks(chain, null, { ignored: ["a"] });
  expect(lines(results)).toEqual(["a warning", "b ok", "c ok", "d ok"]);
  expect(results[0]?.detail).toBe("ignored, as you say");
});

test("what nobody could look at stops nothing", async () => {
  const blind = check("a", true, { run: async () => ({ holds: undefined, detail: "not looked at: no right" }) });
  const results = await runChecks([blind, check("b", true, { needs: ["a"] })], null);
  expect(lines(results)).toEqual(["a skipped", "b ok"]);
  expect(() => refuse(results)).not.toThrow();
});

test("an unknown id to ignore is refused with the nearest that there is", () => {
  expect(() => refuseUnknown(["rihgts"], checkIds)).toThrow(
    'there is no check "rihgts" to ignore; did you mean rights?',
  );
  expect(() => refuseUnknown(["rights", "targets"], checkIds)).not.toThrow();
});

test("a check that can't be made fails with the reason, the place and what to do; a fault of Keyway is thrown on", async () => {
  const unexaminable = check("a", true, {
    run: () => Promise.reject(new KeywayError("no answer", { where: "pod demo/a", next: "ask again" })),
  });
  expect(await runChecks([unexaminable], null)).toEqual([
    { id: "a", description: "a holds", status: "fatal", detail: "no answer (pod demo/a)", hint: "ask again" },
  ]);
  const faulty = check("a", true, { run: () => Promise.reject(new TypeError("oops")) });
  await expect(runChecks([faulty], null)).rejects.toThrow(TypeError);
});

test("a failure stops the command, unless it is a warning or is ignored by name", async () => {
  const checks = [check("a", false), check("b", false, { severity: "warning" })];
  const results = await runChecks(checks, null);
  expect(failures(results).map(({ id }) => id)).toEqual(["a"]);
  expect(() => refuse(results)).toThrow(/a holds/);
  expect(() => refuse([])).not.toThrow();
});

test.each([
  ["1.27.0", true],
  ["1.29.1", true],
  ["2.0", true],
  ["1.26.9", false],
  ["1.9.0", false],
  ["unknown", false],
  ["", false],
])("istiod %s knows the guard: %s", (version, knows) => {
  expect(isNewEnough(version)).toBe(knows);
});

test("targets are the services of the mesh that routes lead to, each once", () => {
  const to = "outbound|9080|v2|reviews.demo.svc.cluster.local";
  const routes = [{ to }, { split: [{ to }, { to: "my-cluster" }] }];
  expect(targetsOf({ config: { routes } })).toEqual([
    { cluster: to, port: 9080, service: "reviews", namespace: "demo" },
  ]);
});
