// Builds what is shipped: the modules, the command `keyway` and the library `keyway/routes`.
import "./uncaught.ts";
import { chdir } from "node:process";
import { buildModule } from "../installer/module/build.ts";
import { ROOT } from "../shared/package.ts";
import { buildCommand } from "./build/command.ts";
import { buildLibrary } from "./build/library.ts";
import { writeNotices } from "./build/notices.ts";

chdir(ROOT);
for (const { name, size } of await buildModule()) console.error(`keyway: ${name} ${(size / 1024).toFixed(1)} KiB`);
writeNotices([await buildCommand(), await buildLibrary()]);
console.error("keyway: build/keyway.mjs, run it with npx keyway");
