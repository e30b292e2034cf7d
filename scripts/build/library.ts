// routes/ as a library for other programs: build/routes/, with its types, and the JSON Schemas of the files that it reads.
import { rm, writeFile } from "node:fs/promises";
import { build, type Metafile } from "esbuild";
import { pluginJsonSchema, routeFileJsonSchema } from "../../routes/index.ts";
import { run } from "../parts/command.ts";

/** What esbuild read and wrote. Has to run in the checkout's root. */
export async function buildLibrary(): Promise<Metafile> {
  await rm("build/routes", { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: ["routes/index.ts"],
    outfile: "build/routes/index.mjs",
    bundle: true,
    metafile: true,
    platform: "neutral",
    mainFields: ["module", "main"],
    format: "esm",
    target: "es2022",
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    logLevel: "warning",
  });
  await run("node_modules/.bin/tsc", ["-p", "routes"]);
  await writeFile("build/route-file.schema.json", json(routeFileJsonSchema()));
  await writeFile("build/configuration.schema.json", json(pluginJsonSchema()));
  return metafile;
}

const json = (schema: object) => `${JSON.stringify(schema, null, 2)}\n`;
