import { filterRef, type IEnvoyFilter } from "../manifests/kinds.ts";
import { staleTwinsOf } from "../proxies/twins.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./context.ts";

export const routesKept: Check<CheckContext> = {
  id: "routes-kept",
  description: "routed requests keep what the mesh's routes say now",
  severity: "fatal",
  hint: "the routes have changed since their twins were made, and routed requests keep the old ones' settings: `keyway upgrade` makes the twins anew",
  needs: ["rights", "workloads"],
  async run(context) {
    const { cluster, installation, io } = context;
    const filter = await cluster.get<IEnvoyFilter>(filterRef(installation.namespace, installation.name));
    if (filter === undefined) return { holds: true };
    const { proxies: pods } = await context.selection();
    const stale = await staleTwinsOf(cluster, installation, { pods, filter, signal: io.signal });
    return stale.length === 0 ? { holds: true } : { holds: false, detail: stale.join("\n") };
  },
};
