import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import { KeywayError, reason } from "../../shared/errors.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { emit, type Format, outputOption, table } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";

export const build: Register = (program, io) => {
  defineCommand(program, {
    usage: "build",
    description:
      "Compiles the Wasm modules in keyway's checkout, checks that a proxy would load them, and prints their sizes.",
    examples: [
      ["compile the modules", "keyway build"],
      ["get the filter's sha256 into a script", "keyway build -o json | jq -r .[0].sha256"],
    ],
  })
    .addOption(outputOption())
    .action(async ({ output }: { output: Format }) => {
      const steps = progress(io);
      steps.update("compiling");
      const modules = await compiled();
      for (const { name } of modules) steps.done(`built and checked ${name}`);
      const built = await Promise.all(modules.map(described));
      emit(io, output, built, () =>
        table(
          io,
          ["path", "bytes", "sha256"],
          built.map(({ path, bytes, sha256 }) => [path, String(bytes), sha256]),
        ),
      );
      steps.next("`keyway publish oci://HOST/REPO:TAG` to push it");
    });
};

async function compiled() {
  const { buildModule } = await import("../module/build.ts");
  try {
    return await buildModule();
  } catch (cause) {
    if (cause instanceof KeywayError) throw cause;
    throw new KeywayError(reason(cause), {
      cause,
      next: "run it in keyway's checkout, after `npm ci`, and mend the source",
    });
  }
}

async function described({ path, size }: { path: string; size: number }) {
  const sha256 = createHash("sha256").update(await readFile(path));
  return { path: relative(".", path), bytes: size, sha256: sha256.digest("hex") };
}
