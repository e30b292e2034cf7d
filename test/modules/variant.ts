// Builds of the filter that differ from the one in build/, from sources changed on their way to the compiler.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { main } from "assemblyscript/asc";
import { TRANSFORM } from "../../installer/module/build.ts";
import { LAYOUT } from "../../routes/model/feed.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** What is to be found in a file of the filter, and what stands there instead. */
export type Change = { file: string; find: string; instead: string };

/** Another layout's number, and another place for everything behind it in a key route. */
export const OTHER_LAYOUT: Change[] = [
  { file: "routes/model/feed.ts", find: `const LAYOUT = ${LAYOUT};`, instead: "const LAYOUT = 77;" },
  { file: "routes/model/layout.ts", find: "ENTRY_FIXED = 12;", instead: "ENTRY_FIXED = 44;" },
];

/** The bytes of the filter with these changes; throws when what a change looks for is not there exactly once. */
export async function variant(changes: Change[]): Promise<Uint8Array<ArrayBuffer>> {
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  const { error, stderr } = await main(
    [
      ...["filter/index.ts", "--baseDir", ROOT, "--config", "asconfig.json", "--target", "filter"],
      ...["--transform", TRANSFORM, "--outFile", "variant.wasm"],
    ],
    {
      readFile: (name, base) => read(join(base, name), changes),
      writeFile: (name, contents) => {
        if (name.endsWith("variant.wasm")) bytes = Uint8Array.from(contents as Uint8Array);
      },
    },
  );
  if (error || !bytes) throw new Error(`the variant does not compile:\n${stderr.toString()}`);
  return bytes;
}

/** The same module as other bytes: a custom section, which nothing reads, holds its name. */
export function anotherBuild(directory: string, name: string): string {
  const file = join(directory, `${name}.wasm`);
  copyFileSync(join(ROOT, "build", "keyway.wasm"), file);
  const section = Buffer.from([0, 1 + name.length, name.length, ...Buffer.from(name)]);
  writeFileSync(file, section, { flag: "a" });
  return file;
}

function read(path: string, changes: Change[]): string | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return null;
  }
  for (const { file, find, instead } of changes) {
    if (path !== join(ROOT, file)) continue;
    const parts = text.split(find);
    if (parts.length !== 2) throw new Error(`${file} has ${JSON.stringify(find)} ${parts.length - 1} times`);
    text = parts.join(instead);
  }
  return text;
}
