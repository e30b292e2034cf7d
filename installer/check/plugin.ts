import { title } from "../../shared/cluster/object.ts";
import { filterRef, type IWasmPlugin, pluginRef } from "../manifests/kinds.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./context.ts";

/** What is said of an installation of which only the EnvoyFilter is left. The module and the routes stood in the WasmPlugin. */
export const PLUGIN_MISSING = {
  what: "its WasmPlugin is missing, so nothing is routed",
  next: "`keyway install` makes it anew, `keyway uninstall` takes the rest off",
};

export const pluginThere: Check<CheckContext> = {
  id: "plugin",
  description: "the installation has its WasmPlugin",
  severity: "fatal",
  hint: PLUGIN_MISSING.next,
  needs: ["rights", "istio-kinds"],
  async run({ cluster, installation: { namespace, name } }) {
    if ((await cluster.get<IWasmPlugin>(pluginRef(namespace, name))) !== undefined) return { holds: true };
    return { holds: false, detail: `${PLUGIN_MISSING.what}: ${title(filterRef(namespace, name))} is all that is left` };
  },
};
