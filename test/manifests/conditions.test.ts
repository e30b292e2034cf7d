import { expect, test } from "vitest";
import { type Condition, examine, failures } from "../../installer/check/check.ts";
import { isNewEnough } from "../../installer/check/istio.ts";
import { ignoring, refuse } from "../../installer/check/print.ts";
import { targetsOf } from "../../installer/check/targets.ts";
import { KeywayError } from "../../installer/cli/errors.ts";

const condition = (id: string, holds: boolean, more: Partial<Condition<null>> = {}): Condition<null> => ({
  id,
  description: `${id} holds`,
  severity: "fatal",
  hint: `mend ${id}`,
  examine: async () => ({ holds }),
  ...more,
});

test("a condition that needs another is skipped when that one does not hold, and what needs it too", async () => {
  const results = await examine(
    [
      condition("a", false),
      condition("b", true, { needs: ["a"] }),
      condition("c", true, { needs: ["b"] }),
      condition("d", true),
    ],
    null,
  );
  expect(results.map(({ id, status }) => `${id} ${status}`)).toEqual(["a fatal", "b skipped", "c skipped", "d ok"]);
});

test("what can't be examined does not hold, with the reason and what to do; a fault stays a fault", async () => {
  const unexaminable = condition("a", true, {
    examine: () => Promise.reject(new KeywayError("no answer", { next: "ask again" })),
  });
  expect(await examine([unexaminable], null)).toEqual([
    { id: "a", description: "a holds", status: "fatal", detail: "no answer", hint: "ask again" },
  ]);
  const faulty = condition("a", true, { examine: () => Promise.reject(new TypeError("oops")) });
  await expect(examine([faulty], null)).rejects.toThrow(TypeError);
});

test("a failure stops the command, unless it is a warning or is ignored by name", async () => {
  const results = await examine([condition("a", false), condition("b", false, { severity: "warning" })], null);
  expect(failures(results).map(({ id }) => id)).toEqual(["a"]);
  expect(() => refuse(results)).toThrow(/a holds/);
  expect(() => refuse(ignoring(results, ["a"]))).not.toThrow();
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
