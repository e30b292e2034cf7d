import { METRIC_CONFIG_REJECTED } from "../../routes/model/names.ts";
import type { Installation } from "../manifests/installation.ts";
import { VERSION_VARIABLE } from "../manifests/names.ts";
import { isFilterOf, type ProxyAdmin } from "../proxies/proxy-admin.ts";
import { inBatches } from "../proxies/wait.ts";
import type { Condition } from "./check.ts";
import type { Facts } from "./context.ts";

/** Why a proxy does not run exactly this version; undefined when it does. */
export async function whyNotLoaded(
  proxy: ProxyAdmin,
  { name, namespace, version }: Installation,
): Promise<string | undefined> {
  const extensions = (await proxy.extensions()).filter((one) => isFilterOf(one.name, namespace, name));
  if (extensions.length === 0) return "it has not got the filter from istiod";
  if (extensions.some(({ replaced }) => replaced)) {
    return "its agent could not pull the module and put a stand-in (`kubectl logs POD -c istio-proxy` says why)";
  }
  if (!extensions.some((one) => one.version === version)) {
    const others = extensions.map((one) => versionText(one.version ?? 0)).join(", ");
    return `it still runs version ${others}`;
  }
  const rejected = (await proxy.metrics())[METRIC_CONFIG_REJECTED];
  return rejected
    ? "the filter refuses its configuration (`kubectl logs POD -c istio-proxy` says which line)"
    : undefined;
}

export function versionText(version: number): string {
  return version === 0 ? `without a ${VERSION_VARIABLE}` : new Date(version * 1000).toISOString().replace(".000Z", "Z");
}

export const versionLoaded: Condition<Facts> = {
  id: "loaded",
  description: "every selected proxy runs the installed version",
  severity: "fatal",
  hint: "`keyway status` tells more; `keyway upgrade --rollback` goes back to the version before",
  needs: ["rights", "workloads"],
  async examine(facts) {
    const proxies = await facts.proxies();
    const reasons = await inBatches(proxies, 16, async (proxy) => {
      const why = await whyNotLoaded(proxy, facts.installation);
      return why === undefined ? [] : [`${proxy.pod.name}: ${why}`];
    });
    const late = reasons.flat();
    const detail =
      late.length === 0 ? `${versionText(facts.installation.version)} on ${proxies.length} proxies` : late.join("\n");
    return { holds: late.length === 0, detail };
  },
};
