// npm run docs: writes docs/reference/ and the Helm chart anew.
import "./uncaught.ts";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "../shared/package.ts";
import { chartFiles } from "./chart/chart.ts";
import { references } from "./docs/references.ts";

write(join(ROOT, "docs", "reference"), await references());
write(join(ROOT, "charts", "keyway"), chartFiles());

function write(folder: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}
