// The command as it is shipped: build/keyway.mjs starts it, build/cli/ holds it in pieces that are loaded when they are needed.
import { chmod, copyFile, rm } from "node:fs/promises";
import { build, type Metafile } from "esbuild";

/** What esbuild read and wrote. Paths in it, like here, are relative to the checkout, in which this has to run. */
export async function buildCommand(): Promise<Metafile> {
  await rm("build/cli", { recursive: true, force: true });
  const { metafile } = await build({
    // The server's store has a thread of its own, which starts from a file of its own.
    entryPoints: { main: "installer/main.ts", "sqlite-worker": "server/store/sqlite/worker.ts" },
    outdir: "build/cli",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    metafile: true,
    platform: "node",
    format: "esm",
    target: "node22.15",
    // Names stay, for the stacks that KEYWAY_DEBUG=1 shows.
    minifyWhitespace: true,
    minifySyntax: true,
    external: ["assemblyscript"],
    // Packages written as CommonJS look for `require` inside the ECMAScript module that they are bundled into.
    banner: {
      js: 'import { createRequire as bundleRequire } from "node:module";\nconst require = bundleRequire(import.meta.url);',
    },
    legalComments: "none",
    logLevel: "warning",
  });
  await copyFile("installer/launch.mjs", "build/keyway.mjs");
  await chmod("build/keyway.mjs", 0o755);
  return metafile;
}
