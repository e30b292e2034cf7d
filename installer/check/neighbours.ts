import { matches } from "../../shared/cluster/labels.ts";
import { type KubeObject, qualified, title } from "../../shared/cluster/object.ts";
import { describeScope, type Installation, readInstallation, waysOf } from "../manifests/installation.ts";
import { filterRef, type IEnvoyFilter, type IWasmPlugin, pluginRef } from "../manifests/kinds.ts";
import { isOwned, refuseForeign } from "../manifests/ownership.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./context.ts";

export const namesFree: Check<CheckContext> = {
  id: "names",
  description: "the names are free, or keyway's own",
  severity: "fatal",
  hint: "choose another name with --name",
  needs: ["rights", "istio-kinds"],
  async run({ cluster, installation }) {
    const { name, namespace, scope, mode } = installation;
    for (const ref of [pluginRef(namespace, name), filterRef(namespace, name)]) {
      const there = await cluster.get<KubeObject>(ref);
      if (there === undefined) continue;
      refuseForeign(there);
      if (there.kind !== "WasmPlugin") continue;
      const is = readInstallation(there as IWasmPlugin);
      if (describeScope(is.scope) === describeScope(scope) && is.mode === mode) continue;
      return {
        holds: false,
        detail: `${title(there)} is an installation for ${describeScope(is.scope)}, ${is.mode}`,
        hint: `give this one a name of its own with --name, or take that one off with \`keyway uninstall --name ${name} -n ${namespace}\``,
      };
    }
    return { holds: true };
  },
};

export const neighboursQuiet: Check<CheckContext> = {
  id: "neighbours",
  description: "no other plugin or filter works on the same proxies' routes",
  severity: "warning",
  hint: "see that the order suits: --phase and --priority, and the EnvoyFilter's priority",
  needs: ["rights", "istio-kinds"],
  async run(context) {
    const { cluster, installation } = context;
    const inNamespace = { namespace: installation.namespace };
    const plugins = await cluster.list<IWasmPlugin>("extensions.istio.io/v1alpha1", "WasmPlugin", inNamespace);
    const filters = await cluster.list<IEnvoyFilter>("networking.istio.io/v1alpha3", "EnvoyFilter", inNamespace);
    const { proxies } = await context.selection();
    const meets = (labels: Record<string, string> = {}) => proxies.some((pod) => matches(labels, pod.labels));
    const others = [
      ...plugins.filter((plugin) => !isOwned(plugin) && meets(plugin.spec?.selector?.matchLabels)),
      ...filters.filter(
        (filter) => !isOwned(filter) && meets(filter.spec?.workloadSelector?.labels) && touchesRoutes(filter),
      ),
    ];
    return others.length === 0 ? { holds: true } : { holds: false, detail: others.map(title).join(", ") };
  },
};

function touchesRoutes({ spec }: IEnvoyFilter): boolean {
  return spec?.configPatches?.some(({ applyTo }) => applyTo === "HTTP_ROUTE" || applyTo === "VIRTUAL_HOST") === true;
}

export const routesApart: Check<CheckContext> = {
  id: "same-routes",
  description: "no other installation has the same route on the same proxies",
  severity: "fatal",
  hint: "two filters that both select the same target send a request in circles: keep the route in one of them",
  needs: ["rights", "istio-kinds"],
  async run(context) {
    const { cluster, installation } = context;
    const { namespace, name } = installation;
    const plugins = await cluster.list<IWasmPlugin>("extensions.istio.io/v1alpha1", "WasmPlugin", {
      namespace,
    });
    const { proxies } = await context.selection();
    const mine = new Set(selections(installation));
    const twice = plugins.filter(isOwned).flatMap((plugin) => {
      const other = readInstallation(plugin);
      const labels = "labels" in other.scope ? other.scope.labels : undefined;
      const meets = labels && proxies.some((pod) => matches(labels, pod.labels));
      if (plugin.metadata?.name === name || !meets) return [];
      return selections(other)
        .filter((one) => mine.has(one))
        .map((one) => `${one}, also in ${qualified(plugin.metadata)}`);
    });
    return twice.length === 0 ? { holds: true } : { holds: false, detail: twice.join("\n") };
  },
};

function selections({ config, mode }: Installation): string[] {
  const routes = (config.routes ?? []) as { from?: string; key?: string; to?: string }[];
  const keyed = routes.filter(({ key }) => key !== undefined);
  return waysOf(mode).flatMap((way) => keyed.map(({ from, key, to }) => `${way} ${from} with key ${key} to ${to}`));
}
