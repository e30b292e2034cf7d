import { expect, test } from "vitest";
import { parseArguments } from "../../scripts/test/arguments.ts";

test.each([
  ["nothing", [], { tiers: [], files: [], options: {} }],
  ["a tier", ["--tier", "unit"], { tiers: ["unit"], files: [], options: {} }],
  [
    "several tiers",
    ["--tier=unit,source", "--tier", "host"],
    { tiers: ["unit", "source", "host"], files: [], options: {} },
  ],
  [
    "files, a name and vitest's flags",
    ["test/routes", "--tier", "unit", "-t", "a name", "--bail=1", "-u"],
    { tiers: ["unit"], files: ["test/routes"], options: { testNamePattern: "a name", bail: 1, update: true } },
  ],
])("%s", (_, args, parsed) => {
  expect(parseArguments(args)).toEqual(parsed);
});

test.each([[["--tier", "integration"]], [["--tier="]], [["--tier", "unit,"]]])(
  "%j names no tier and is told the tiers",
  (args) => {
    expect(() => parseArguments(args)).toThrow(
      /is no tier; the tiers are source, unit, server, host, distribution, etcd, clients, package, envoy, mesh, container$/,
    );
  },
);

test("a flag that there is not is refused instead of ignored", () => {
  expect(() => parseArguments(["--teir", "unit"])).toThrow("Unknown option '--teir'");
});
