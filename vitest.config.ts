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
      // What a test waits for comes at once on an idle machine, and late on a busy one; where it never comes, the test says so itself.
      expect: { poll: { timeout: tier.seconds * 500 } },
      sequence: { groupOrder: index },
      // A proxy that the environment names does not stand between a test's gRPC client and its server.
      env: { no_grpc_proxy: "127.0.0.1" },
      ...("setup" in tier && { globalSetup: tier.setup, fileParallelism: false }),
    },
  };
});

export default defineConfig({ test: { maxWorkers: 2, projects } });
