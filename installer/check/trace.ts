// Whether what `trace` gives back on the way out of a workload is remembered on the way in.
import { hasLinks } from "../../routes/model/links.ts";
import { matches } from "../../shared/cluster/labels.ts";
import { remedyFor } from "../manifests/both-ways.ts";
import {
  type Installation,
  readInstallation,
  remembersTraces,
  type Way,
  ways,
  waysOf,
} from "../manifests/installation.ts";
import type { IWasmPlugin } from "../manifests/kinds.ts";
import { isOwned } from "../manifests/ownership.ts";
import type { SelectedPod } from "../proxies/selected-pods.ts";
import type { Check, CheckOutcome } from "./check.ts";
import type { CheckContext } from "./context.ts";

export const tracesBothWays: Check<CheckContext> = {
  id: "trace",
  description: "what a trace gives back on the way out of a workload is remembered on its way in",
  severity: "warning",
  hint: "install it for both ways: the same command with --mode both",
  needs: ["rights", "istio-kinds"],
  async run(context) {
    const { cluster, installation } = context;
    const { namespace, name, mode } = installation;
    if (!remembersTraces(installation)) return { holds: true };
    if (mode === "gateway") {
      const detail = "trace is among the keys, but nothing comes into a gateway from a caller in a trace of its own";
      return { holds: false, detail, hint: "leave trace out at gateways; the workloads behind them remember" };
    }
    const { proxies } = await context.selection();
    const plugins = await cluster.list<IWasmPlugin>("extensions.istio.io/v1alpha1", "WasmPlugin", { namespace });
    const others = plugins
      .filter((plugin) => isOwned(plugin) && plugin.metadata?.name !== name)
      .map(readInstallation)
      .filter((other) => other.mode !== "gateway");
    const all = [installation, ...others.filter(remembersTraces)];
    const [lacking] = ways.filter((way) => !looksThere(all, way, proxies));
    if (lacking === undefined) return keysComeIn(all);
    const what = {
      inbound: "nothing that comes in is remembered, so nothing can be given back",
      outbound: "nothing that goes out is looked at, so nothing is given back",
    };
    const detail = `trace is among the keys, but ${what[lacking]}`;
    const forgets = others.filter((other) => !remembersTraces(other));
    // One that stands there already needs the memory, and no installation for both ways beside it.
    const isThere = looksThere([installation, ...forgets], lacking, proxies);
    return { holds: false, detail, ...(isThere && { hint: remedyFor(lacking, forgets) }) };
  },
};

/** Whether a filter on the way in has a source of keys other than the memory itself. */
function keysComeIn(all: readonly Installation[]): CheckOutcome {
  const inbound = all.filter(({ mode }) => waysOf(mode).includes("inbound"));
  const remembers = ({ config }: Installation) =>
    (config.keys as string[]).some((one) => one !== "trace") || hasLinks(config);
  if (inbound.some(remembers)) return { holds: true };
  const detail = "trace is the only one among the keys, so no key comes in that could be remembered";
  return {
    holds: false,
    detail,
    hint: "name the sources in which keys come in before it, such as header:x-routing-key",
  };
}

/** Whether each of the proxies has a filter that looks at this way; where there are none yet, whether any installation does. */
function looksThere(all: readonly Installation[], way: Way, proxies: readonly SelectedPod[]): boolean {
  const looking = all.filter(({ mode }) => waysOf(mode).includes(way));
  const [own] = all;
  if (own && looking.includes(own)) return true;
  const meets = ({ scope }: Installation, labels: SelectedPod["labels"]) =>
    "labels" in scope && matches(scope.labels, labels);
  return looking.length > 0 && proxies.every(({ labels }) => looking.some((one) => meets(one, labels)));
}
