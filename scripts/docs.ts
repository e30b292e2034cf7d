// npm run docs: writes docs/reference/ anew.
import "./uncaught.ts";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../shared/package.ts";
import { references } from "./docs/references.ts";

const folder = join(ROOT, "docs", "reference");
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(await references())) writeFileSync(join(folder, name), text);
