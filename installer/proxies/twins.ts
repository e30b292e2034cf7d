import { atOnce } from "../../shared/at-once.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { reason } from "../../shared/errors.ts";
import { proofOf } from "../manifests/envoyfilter.ts";
import type { Installation } from "../manifests/installation.ts";
import { staleHosts, twinsAmong } from "../manifests/installed-twins.ts";
import type { IEnvoyFilter } from "../manifests/kinds.ts";
import { type ProxyRoutes, type TwinPatches, twinPatches } from "../manifests/twin-patches.ts";
import { ProxyAdmin } from "./proxy-admin.ts";
import type { SelectedPod } from "./selected-pods.ts";

export interface ProxyTwins extends TwinPatches {
  /** How many proxies told their routes. */
  asked: number;
}

/**
 * The twins that the selected proxies' own routes ask for; undefined inbound, where the caller's proxy has done what a VirtualService says before the
 * request comes in. Proxies that do not answer are named among the remarks and left out.
 */
export async function twinsOfProxies(
  cluster: Cluster,
  installation: Pick<Installation, "name" | "namespace" | "mode" | "config" | "served" | "cacheable">,
  pods: SelectedPod[],
  signal: AbortSignal,
): Promise<ProxyTwins | undefined> {
  if (installation.mode === "inbound") return undefined;
  const silent: string[] = [];
  const answers = await atOnce(16, pods, async (pod): Promise<ProxyRoutes[]> => {
    const name = `${pod.namespace}/${pod.name}`;
    try {
      const routeConfigurations = await new ProxyAdmin(cluster, pod, signal).routeConfigurations();
      return [{ pod: name, gateway: pod.gateway, routeConfigurations }];
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      silent.push(`pod ${name} does not tell its routes: ${reason(thrown)}`);
      return [];
    }
  });
  const proxies = answers.flat();
  const { patches, remarks } = twinPatches(proxies, {
    owner: `${installation.namespace}/${installation.name}`,
    baselines: baselinesOf(installation),
    proofFor: (gateway) => proofOf(installation, gateway ? "GATEWAY" : "SIDECAR_OUTBOUND"),
  });
  return { patches, remarks: [...silent, ...remarks], asked: proxies.length };
}

/** The virtual hosts whose routes have changed since the twins in an EnvoyFilter were made, in words. */
export async function staleTwinsOf(
  cluster: Cluster,
  installation: Parameters<typeof twinsOfProxies>[1],
  { pods, filter, signal }: { pods: SelectedPod[]; filter: IEnvoyFilter; signal: AbortSignal },
): Promise<string[]> {
  const now = await twinsOfProxies(cluster, installation, pods, signal);
  if (now === undefined || now.asked === 0) return [];
  return staleHosts(twinsAmong(filter.spec?.configPatches ?? []), now.patches);
}

function baselinesOf({ config }: Pick<Installation, "config">): string[] {
  const routes = (config.routes ?? []) as { from: string }[];
  return [...new Set(routes.map(({ from }) => from))];
}
