// Who may import whom, and what the command loads before it knows what it is asked.
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { tierNames } from "../../scripts/test/tiers.ts";
import { ROOT } from "../../shared/package.ts";

/** `kind`: loaded at once, loaded when it is reached, or a type and so never. */
type Import = { from: string; to: string; kind: "now" | "later" | "type" };

const IMPORT = /^(import type|import|export|\}).*? from "([^"]+)"|^import "([^"]+)"|\bimport\("([^"]+)"\)/gm;

const files = globSync("{filter,routes,import,shared,server,controller,installer,scripts}/**/*.{ts,mjs}", {
  cwd: ROOT,
});
const imports = files.flatMap((from) => importsOf(from));
const testImports = globSync("test/**/*.ts", { cwd: ROOT }).flatMap((from) => importsOf(from));

function importsOf(from: string): Import[] {
  const text = readFileSync(join(ROOT, from), "utf8");
  return [...text.matchAll(IMPORT)].map(([, statement, named, bare, lazy]) => {
    const to = named ?? bare ?? lazy ?? "";
    const kind = lazy !== undefined ? "later" : statement === "import type" ? "type" : "now";
    return { from, to: to.startsWith(".") ? join(dirname(from), to) : to, kind };
  });
}

/** Imports of files under `room` that are neither in it nor begin with one of these. */
const strays = (room: string, allowed: string[]) =>
  imports
    .filter(({ from }) => from.startsWith(room))
    .filter(({ to }) => ![room, ...allowed].some((start) => to.startsWith(start)))
    .map(({ from, to }) => `${from} -> ${to}`);

test("files and imports are found at all", () => {
  expect(files.length).toBeGreaterThan(150);
  expect(imports).toContainEqual({ from: "installer/main.ts", to: "installer/cli/program.ts", kind: "now" });
  expect(imports).toContainEqual({
    from: "installer/commands/index.ts",
    to: "installer/commands/build.ts",
    kind: "later",
  });
});

describe("directions", () => {
  test.each([
    [
      "the filter shares the model's constants with routes/, and nothing else",
      "filter/",
      ["routes/model/", "@solo-io/proxy-runtime/", "assemblyscript"],
    ],
    ["routes/ calls nothing", "routes/", ["zod", "yaml"]],
    ["routes/model knows nothing of the rest of routes/", "routes/model/", ["zod"]],
    ["routes/deciding knows the model alone", "routes/deciding/", ["routes/model/"]],
    ["routes/table knows the model alone", "routes/table/", ["routes/model/"]],
    [
      "what all rooms share knows none of them",
      "shared/",
      [
        "node:",
        "routes/",
        "package.json",
        "picocolors",
        "undici",
        "yaml",
        "ws",
        "hpagent",
        "socks-proxy-agent",
        "@kubernetes/client-node",
      ],
    ],
    [
      "the route server does without the command",
      "server/",
      [
        "node:",
        "routes/",
        "import/",
        "shared/",
        "controller/",
        "@kubernetes/client-node",
        "@hono/",
        "hono",
        "zod",
        "pino",
        "prom-client",
        "undici",
        "yaml",
        "@grpc/grpc-js",
        "protobufjs",
      ],
    ],
    [
      "the controller does without the server beside it",
      "controller/",
      ["node:", "routes/", "shared/", "@kubernetes/client-node"],
    ],
    ["what Sandboxes stand for is worked out without asking anybody", "controller/plan/", ["node:", "routes/"]],
    ["what other systems say is read without asking anybody", "import/", ["routes/", "shared/", "zod"]],
    ["twins are pure", "installer/twins/", ["routes/model/"]],
    [
      "the registry client knows nothing of clusters and installations",
      "installer/registry/",
      [
        "node:",
        "shared/errors.ts",
        "shared/io.ts",
        "shared/input.ts",
        "shared/net/",
        "shared/package.ts",
        "installer/cli/",
        "undici",
        "commander",
      ],
    ],
    [
      "the API client knows nothing of Keyway",
      "shared/cluster/",
      [
        "node:",
        "shared/at-once.ts",
        "shared/errors.ts",
        "shared/net/",
        "routes/reading/closest.ts",
        "yaml",
        "ws",
        "hpagent",
        "socks-proxy-agent",
      ],
    ],
    [
      "the client of the route server knows nothing of clusters and files",
      "installer/server-client/",
      [
        "node:",
        "installer/cli/",
        "shared/errors.ts",
        "shared/io.ts",
        "shared/net/",
        "routes/model/",
        "server/api/schemas.ts",
        "undici",
        "zod",
      ],
    ],
    [
      "planning is pure: it calls neither a cluster nor a proxy",
      "installer/plan/",
      ["shared/cluster/object.ts", "shared/cluster/managed-fields.ts", "installer/manifests/", "routes/"],
    ],
  ])("%s", (_, room, allowed) => {
    expect(strays(room, allowed)).toEqual([]);
  });

  test("the product knows nothing of its scripts, tests and benchmarks", () => {
    const product = imports.filter(({ from }) =>
      /^(filter|routes|import|shared|server|controller|installer)\//.test(from),
    );
    expect(product.filter(({ to }) => /^(scripts|test|bench)\//.test(to))).toEqual([]);
    expect(imports.filter(({ to }) => /^(test|bench)\//.test(to))).toEqual([]);
  });

  test("commands are at the top: only the list of them leads there", () => {
    const upward = imports.filter(
      ({ from, to }) => to.startsWith("installer/commands/") && /^installer\/(?!commands\/)/.test(from),
    );
    expect(upward.map(({ from }) => from)).toEqual(["installer/main.ts"]);
  });
});

/** Circles among the nodes of a graph, each as the way round. */
function circlesIn(next: ReadonlyMap<string, readonly string[]>): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (node: string, way: string[]) => {
    const before = way.indexOf(node);
    if (before >= 0) circles.push([...way.slice(before), node].join(" -> "));
    if (before >= 0 || done.has(node)) return;
    for (const one of next.get(node) ?? []) walk(one, [...way, node]);
    done.add(node);
  };
  for (const node of next.keys()) walk(node, []);
  return circles;
}

describe("no circles", () => {
  test("are overlooked", () => {
    const next = { a: ["b"], b: ["c", "d"], c: ["b"], d: [] };
    expect(circlesIn(new Map(Object.entries(next)))).toEqual(["b -> c -> b"]);
  });

  const inProduct = imports.filter(({ from, to }) =>
    [from, to].every((path) => /^(routes|import|shared|server|controller|installer)\//.test(path)),
  );

  test("among the files of the product, not even by a type", () => {
    const next = Map.groupBy(inProduct, ({ from }) => from);
    expect(circlesIn(new Map([...next].map(([from, list]) => [from, list.map(({ to }) => to)])))).toEqual([]);
  });

  test("between checks and what changes an installation", () => {
    expect(
      imports.filter(({ from, to }) => `${from} ${to}`.match(/^installer\/check\/.* installer\/lifecycle\//)),
    ).toEqual([]);
  });
});

/** All files that are loaded with a file, at once or in one of these ways. */
function reached(file: string, kinds: Import["kind"][], seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const { from, to, kind } of [...imports, ...testImports]) {
    if (from === file && kinds.includes(kind)) reached(to, kinds, seen);
  }
  return seen;
}

/** Reached is not run: this finds only what no unit test can run. */
test("every module of the installer can be reached by a unit test", () => {
  const tiers = tierNames.map((name) => `test/${name}/`);
  const ofNeed = (file: string) => tiers.some((folder) => !folder.endsWith("/unit/") && file.startsWith(folder));
  const tests = [...new Set(testImports.map(({ from }) => from))].filter(
    (file) => file.endsWith(".test.ts") && !ofNeed(file),
  );
  const seen = new Set<string>();
  for (const file of tests) reached(file, ["now", "later"], seen);
  const ofProcesses = ["installer/main.ts", "installer/launch.mjs"]; // tests start them by their paths
  const unseen = files.filter((file) => file.startsWith("installer/") && !seen.has(file));
  expect(unseen.sort()).toEqual(ofProcesses.sort());
});

test("before it knows its command, the command loads no package but these", () => {
  const loaded = [...reached("installer/main.ts", ["now"])];
  const packages = loaded.filter((name) => !/^(installer|shared|routes|import)\/|^node:|^package\.json$/.test(name));
  expect(packages.sort()).toEqual(["commander", "picocolors"]);
});
