import { defineConfig } from "vitest/config";

/** Folders whose tests need more than this process; everything else under test/ is the project `unit`. */
const TIERS = { host: 60, envoy: 60, mesh: 300, container: 300 };
/** What stands before the first file of the folder is run, and is taken down after the last. */
const STANDING: Record<string, object> = {
  mesh: { globalSetup: "test/mesh/setup.ts", fileParallelism: false },
  container: { globalSetup: "test/container/setup.ts" },
};

// One tier after the other: each may need both cores.
const tiers = Object.entries(TIERS).map(([name, seconds], index) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: seconds * 1000,
    hookTimeout: seconds * 1000,
    sequence: { groupOrder: index + 1 },
    ...STANDING[name],
  },
}));

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: Object.keys(TIERS).map((name) => `test/${name}/**`),
          testTimeout: 30_000,
        },
      },
      ...tiers,
    ],
  },
});
