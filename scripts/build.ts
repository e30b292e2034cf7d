// Builds what is shipped: the modules and the command `keyway`.
import "./uncaught.ts";
import { chmod } from "node:fs/promises";
import { build } from "esbuild";
import { buildModule } from "../installer/module/module.ts";

for (const { name, size } of await buildModule()) console.error(`keyway: ${name} ${(size / 1024).toFixed(1)} KiB`);

// The banner: packages written as CommonJS look for `require` inside the ECMAScript module that they are bundled into.
await build({
  entryPoints: ["installer/main.ts"],
  outfile: "build/keyway.mjs",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  external: ["assemblyscript"],
  banner: {
    js: '#!/usr/bin/env node\nimport { createRequire as bundleRequire } from "node:module";\nconst require = bundleRequire(import.meta.url);',
  },
  legalComments: "none",
  logLevel: "warning",
});
await chmod("build/keyway.mjs", 0o755);
console.error("keyway: build/keyway.mjs, run it with npx keyway");
