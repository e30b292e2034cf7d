// The licences of the packages that are bundled, as they ask to be handed on.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Metafile } from "esbuild";

/** Packages whose code the modules contain: AssemblyScript's standard library, and the declarations of Envoy's functions. */
const IN_MODULES = ["node_modules/@solo-io/proxy-runtime", "node_modules/assemblyscript"];
const TEXT = /^(licen[cs]e|copying|notice)/i;

type Manifest = { name: string; version: string; license?: string };

/** Writes build/THIRD_PARTY_NOTICES for everything under node_modules that the bundles and the modules were made of. */
export function writeNotices(bundles: Metafile[]): void {
  const inputs = bundles.flatMap(({ inputs }) => Object.keys(inputs));
  const packages = [...new Set([...IN_MODULES, ...inputs.flatMap((path) => packageOf(path) ?? [])])].sort();
  const title = `Keyway is distributed with ${packages.length} packages of others, under their licences:`;
  writeFileSync("build/THIRD_PARTY_NOTICES", [title, ...packages.map(notice)].join(`\n\n${"=".repeat(80)}\n\n`));
}

/** `node_modules/a/node_modules/@b/c` of `node_modules/a/node_modules/@b/c/dist/index.js`. */
function packageOf(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

function notice(directory: string): string {
  const { name, version, license }: Manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  const texts = readdirSync(directory).filter((file) => TEXT.test(file));
  if (license === undefined && texts.length === 0)
    throw new Error(`${name} ${version} says nothing of its licence, so it can't be bundled; do without it`);
  const licence = texts.map((file) => readFileSync(join(directory, file), "utf8").trim());
  return [`${name} ${version}, licence ${license ?? "as follows"}`, ...licence].join("\n\n");
}
