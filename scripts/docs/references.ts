// The references that are generated from the code, by their files' names in docs/reference/.
import { checkReference } from "./checks.ts";
import { commandReference } from "./commands.ts";
import { environmentReference } from "./environment.ts";
import { metricReference } from "./metrics.ts";
import { configurationReference, routeFileReference } from "./schemas.ts";
import { serveReference } from "./serve.ts";

export async function references(): Promise<Record<string, string>> {
  return {
    "commands.md": await commandReference(),
    "route-file.md": routeFileReference(),
    "configuration.md": configurationReference(),
    "checks.md": checkReference(),
    "environment.md": environmentReference(),
    "metrics.md": metricReference(),
    "route-server.md": serveReference(),
  };
}
