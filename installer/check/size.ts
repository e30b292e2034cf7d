import { title } from "../../shared/cluster/object.ts";
import { envoyFilter } from "../manifests/envoyfilter.ts";
import { LARGEST_OBJECT, objectSize } from "../manifests/size.ts";
import { wasmPlugin } from "../manifests/wasmplugin.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./context.ts";

export const objectsFit: Check<CheckContext> = {
  id: "size",
  description: "the cluster's store takes objects of this size",
  severity: "fatal",
  hint:
    "split the routes over several installations (-l and --name), each with the routes of its own workloads; " +
    "routes beyond that belong into a live table, which a route server hands out",
  async run({ installation }) {
    const large = [wasmPlugin(installation), envoyFilter(installation)]
      .map((object) => ({ name: title(object), size: objectSize(object) }))
      .filter(({ size }) => size > LARGEST_OBJECT);
    if (large.length === 0) return { holds: true };
    const routes = Array.isArray(installation.config.routes) ? installation.config.routes.length : 0;
    const lines = large.map(({ name, size }) => `${name} would have ${size} bytes, and ${LARGEST_OBJECT} are allowed`);
    return { holds: false, detail: `${lines.join("\n")}\nthe installation has ${routes} routes` };
  },
};
