import { defineConfig } from "vitest/config";
import { TIERS, tierNames } from "./scripts/test/tiers.ts";

const folders = tierNames.filter((name) => name !== "unit").map((name) => `test/${name}/**`);

// One tier after the other: each may need both cores.
const projects = tierNames.map((name, index) => {
  const tier = TIERS[name];
  return {
    test: {
      name,
      include: [name === "unit" ? "test/**/*.test.ts" : `test/${name}/**/*.test.ts`],
      exclude: name === "unit" ? folders : [],
      testTimeout: tier.seconds * 1000,
      hookTimeout: tier.seconds * 1000,
      sequence: { groupOrder: index },
      ...("setup" in tier && { globalSetup: tier.setup, fileParallelism: false }),
    },
  };
});

export default defineConfig({ test: { maxWorkers: 2, projects } });
