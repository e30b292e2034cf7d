import { versionText } from "../manifests/installation.ts";
import { twinsAmong } from "../manifests/installed-twins.ts";
import { filterRef, type IEnvoyFilter } from "../manifests/kinds.ts";
import { whyNotLoaded, whyNotRouted } from "../proxies/probes.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./context.ts";

export const versionLoaded: Check<CheckContext> = {
  id: "loaded",
  description: "every selected proxy runs the installed version",
  severity: "fatal",
  hint: "`keyway status` tells more; `keyway upgrade --rollback` goes back to the version before",
  needs: ["rights", "workloads"],
  async run(context) {
    const { answers: reasons, silent } = await context.askProxies(async (proxy) => {
      const why = await whyNotLoaded(proxy, context.installation);
      return why === undefined ? [] : [`${proxy.pod.name}: ${why}`];
    });
    const outdated = reasons.flat();
    const all = `${versionText(context.installation.version)} on ${reasons.length} proxies`;
    return {
      holds: outdated.length === 0,
      detail: [...(outdated.length === 0 ? [all] : outdated), ...silent].join("\n"),
    };
  },
};

export const guardThere: Check<CheckContext> = {
  id: "guard",
  description: "every selected proxy has the route that takes what the filter selects",
  severity: "fatal",
  hint: "somebody took the EnvoyFilter off or changed it, so keyed requests stay at the baseline: `keyway upgrade` puts it back",
  needs: ["rights", "workloads"],
  async run(context) {
    const { cluster, installation } = context;
    const { namespace, name, mode } = installation;
    // Gateways have twins in place of the guard, and an EnvoyFilter that is gone does not say which.
    const filter = await cluster.get<IEnvoyFilter>(filterRef(namespace, name));
    const twins = mode === "inbound" || filter === undefined ? undefined : twinsAmong(filter.spec?.configPatches ?? []);
    const { answers, silent } = await context.askProxies(async (proxy) => {
      const why = await whyNotRouted(proxy, installation, mode, twins);
      return why === undefined ? [] : [`${proxy.pod.name}: ${why}`];
    });
    const without = answers.flat();
    const detail = [...without, ...silent].join("\n");
    return { holds: without.length === 0, ...(detail !== "" && { detail }) };
  },
};
