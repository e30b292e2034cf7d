import { versionText } from "../manifests/installation.ts";
import { whyNotLoaded } from "../proxies/probes.ts";
import { inBatches } from "../proxies/wait.ts";
import type { Condition } from "./check.ts";
import type { Facts } from "./context.ts";

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
