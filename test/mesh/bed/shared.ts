// The mesh of this test run. What a test file has put into it is taken out when the file is done.
import { afterAll, inject } from "vitest";
import { joinMesh } from "./start.ts";

const given = inject("mesh");
if ("failure" in given) throw new Error(`there is no mesh to test on: ${given.failure}`);

export const mesh = joinMesh(given.directory);

afterAll(() => mesh.clear());
