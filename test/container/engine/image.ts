// Images made out of nothing but programs of this machine and the libraries that they load: no registry is asked.
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { GenericContainer } from "testcontainers";
import { run } from "../../../scripts/parts/command.ts";

export type ImagePlan = {
  name: string;
  /** Path of the program on this machine. It is the image's entry point. */
  program: string;
  /** Further files: path in the image to path on this machine. */
  files?: Record<string, string>;
};

export async function buildImage({ name, program, files = {} }: ImagePlan): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), "keyway-image-"));
  const put = async (from: string, to: string) => {
    await mkdir(dirname(join(context, "root", to)), { recursive: true });
    await copyFile(from, join(context, "root", to));
  };
  try {
    const entry = `/usr/bin/${basename(program)}`;
    await put(program, entry);
    for (const library of await libraries(program)) await put(library, library);
    for (const [to, from] of Object.entries(files)) await put(from, to);
    await writeFile(join(context, "Dockerfile"), `FROM scratch\nCOPY root /\nENTRYPOINT ["${entry}"]\n`);
    await GenericContainer.fromDockerfile(context).build(name, { deleteOnExit: false });
  } finally {
    await rm(context, { recursive: true });
  }
}

/** Paths of the shared libraries that the program loads, its loader among them. */
async function libraries(program: string): Promise<string[]> {
  const listed = await run("ldd", [program]);
  return [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => `${path}`);
}
