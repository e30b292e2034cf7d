// Brings up the one mesh that all files of the project `mesh` share.
import type { TestProject } from "vitest/node";
import { startMesh } from "./bed/start.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The mesh's directory, or why there is none. */
    mesh: { directory: string } | { failure: string };
  }
}

/** Where the mesh does not start, its tests fail and say why; those of other projects still run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  try {
    const { mesh, stop } = await startMesh();
    project.provide("mesh", { directory: mesh.directory });
    return stop;
  } catch (error) {
    project.provide("mesh", { failure: error instanceof Error ? error.message : `${error}` });
    return async () => {};
  }
}
