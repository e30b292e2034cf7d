import { expect, test } from "vitest";
import { diffObjects } from "../../installer/print/diff.ts";

const object = (lines: Record<string, unknown>) => ({
  apiVersion: "v1",
  kind: "Thing",
  metadata: { name: "one", namespace: "demo" },
  spec: lines,
});
const numbered = (count: number, text = "line") =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${text}-${String(index).padStart(5, "0")}`, "x"]));

test("a change is shown with three lines around it, and an ellipsis where more follows", () => {
  const now = { ...numbered(20), "line-00010": "z" };
  expect(
    diffObjects(object(numbered(20)), object(now), "Thing one")
      .split("\n")
      .slice(2),
  ).toEqual([
    "    line-00007: x",
    "    line-00008: x",
    "    line-00009: x",
    "-   line-00010: x",
    "+   line-00010: z",
    "    line-00011: x",
    "    line-00012: x",
    "    line-00013: x",
    "  …",
    "",
  ]);
});

test("what nothing changes in is empty, and what there was not is all new", () => {
  expect(diffObjects(object({ a: 1 }), object({ a: 1 }), "Thing one")).toBe("");
  expect(diffObjects(undefined, object({ a: 1 }), "Thing one")).toContain("+ kind: Thing\n");
  expect(diffObjects(object({ a: 1 }), undefined, "Thing one")).toContain("- kind: Thing\n");
});

test("two large objects with nothing in common are shown whole, soon", () => {
  const text = diffObjects(object(numbered(15_000, "old")), object(numbered(15_000, "new")), "Thing one");
  expect(text.split("\n").filter((line) => line.startsWith("-   old"))).toHaveLength(15_000);
  expect(text.split("\n").filter((line) => line.startsWith("+   new"))).toHaveLength(15_000);
}, 20_000);

const withSecret = (secret: string) => ({ edge: { accept: "signed", keys: [{ id: "a", secret }] }, port: 1 });
const [old, now] = [1, 2].map((byte) => Buffer.alloc(256, byte).toString("base64")) as [string, string];
test.each<[string, (secret: string) => unknown]>([
  ["in YAML", (secret) => withSecret(secret)],
  ["in JSON", (secret) => JSON.stringify(withSecret(secret))],
  ["in JSON of several lines", (secret) => JSON.stringify(withSecret(secret), null, 2)],
  ["in JSON within JSON", (secret) => JSON.stringify({ value: JSON.stringify(withSecret(secret)) })],
])("what signs keys is never shown, %s", (_, config) => {
  const text = diffObjects(object({ config: config(old) }), object({ config: config(now) }), "Thing one");
  for (const secret of [old, now]) expect(text).not.toContain(secret.slice(8, 40));
  expect(text).toContain("*** (another one)");
});
