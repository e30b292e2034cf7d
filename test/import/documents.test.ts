// How a text is taken apart, and that everything in it keeps its place.
import { describe, expect, test } from "vitest";
import { readItems } from "../../import/documents.ts";

const items = (text: string) => [...readItems("in", text)];
const values = (text: string) => items(text).map(({ value }) => value);
const placeIn = (text: string, index: number, path: (string | number)[]) => items(text)[index]?.locate(path);

describe("documents", () => {
  test.each([
    ["YAML", "a: 1\n---\n# nothing\n---\nb: [2]\n...\n---\n{c: 3}\n"],
    ["JSON one behind the other", '{"a": 1}\n{"b": [2]} {"c": 3}'],
    ["a list of Kubernetes", "kind: List\nitems:\n- a: 1\n- b: [2]\n- {c: 3}\n"],
    ["the same in JSON", '{"kind": "RouteList", "items": [{"a": 1}, {"b": [2]}, {"c": 3}]}'],
    ["lists in several documents", "kind: List\nitems: [{a: 1}, {b: [2]}]\n---\nkind: List\nitems: [{c: 3}]\n"],
  ])("%s", (_, text) => {
    expect(values(text)).toEqual([{ a: 1 }, { b: [2] }, { c: 3 }]);
  });

  test("nothing is no document", () => {
    expect(values("")).toEqual([]);
    expect(values("# a\n---\n\n---\n")).toEqual([]);
  });

  test("places count from the file's begin", () => {
    const yaml = "# top\na: 1\n---\nkind: List\nitems:\n- x: 1\n- y:\n    z: [1, 2]\n";
    expect(placeIn(yaml, 0, ["a"])).toEqual({ line: 2, col: 1 });
    expect(placeIn(yaml, 2, ["y", "z", 1])).toEqual({ line: 8, col: 12 });
    const json = '{"a": "{,}"}\n {"kind": "List", "items": [1,\n  {"b\\"": "]\\\\", "c": [true, -1.5e3,\n null]}]}';
    expect(placeIn(json, 0, ["a"])).toEqual({ line: 1, col: 2 });
    expect(placeIn(json, 2, ["c"])).toEqual({ line: 3, col: 18 });
    expect(placeIn(json, 2, ["c", 2])).toEqual({ line: 4, col: 2 });
    expect(placeIn(json, 2, ["c", 9, "x"])).toEqual({ line: 3, col: 18 });
  });

  test("a large list is read item by item, with the same values and places as at once", () => {
    const one = (at: number) =>
      `- kind: X\n  # comment\n  text: |\n    - a\n    b: ${at}\n\n  list:\n  - c\n  - {d: "-"}\n`;
    const all = Array.from({ length: 5000 }, (_, at) => one(at)).join("");
    const text = `apiVersion: v1\nitems:\n${all}kind: List\nmetadata:\n  resourceVersion: ""\n`;
    const found = items(text);
    expect(found).toHaveLength(5000);
    expect(found[4321]?.value).toEqual({ kind: "X", text: "- a\nb: 4321\n", list: ["c", { d: "-" }] });
    expect(found[4321]?.path).toEqual(["items", 4321]);
    expect(found[4321]?.locate(["list", 1, "d"])).toEqual({ line: 3 + 4321 * 9 + 8, col: 6 });
    const anchored = text.replace("- kind: X", "- kind: &k X").replace(/kind: X\n(?!.*kind: X\n)/s, "kind: *k\n");
    expect(items(anchored).at(-1)?.value).toMatchObject({ kind: "X" });
  });

  test("a mistake far behind in a large text has its place", () => {
    const text = `items:\n${Array.from({ length: 9000 }, (_, at) => `- name: a${at}\n  value: some text\n`).join("")}- {\nkind: List\n`;
    expect(() => items(text)).toThrow(/^in:1800[23]:\d+: not YAML/);
  });
});
