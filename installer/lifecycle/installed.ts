import type { Cluster } from "../cluster/cluster.ts";
import { type IEnvoyFilter, type IWasmPlugin, type KubeObject, pluginRef } from "../cluster/object.ts";
import { type Installation, type Live, readInstallation } from "../manifests/installation.ts";
import { MANAGED_BY_LABEL } from "../manifests/names.ts";
import { isOwned, refuseForeign } from "../manifests/ownership.ts";
import { type SelectedPod, selectPods } from "../proxies/selected-pods.ts";

const ours = `${MANAGED_BY_LABEL}=keyway`;

export interface Objects {
  plugins: IWasmPlugin[];
  filters: IEnvoyFilter[];
}

/** What Keyway has made in a namespace, or everywhere. */
export async function ownedObjects(cluster: Cluster, namespace: string | undefined): Promise<Objects> {
  const where = { labelSelector: ours, ...(namespace !== undefined && { namespace }) };
  const [plugins, filters] = await Promise.all([
    cluster.list<IWasmPlugin>("extensions.istio.io/v1alpha1", "WasmPlugin", where),
    cluster.list<IEnvoyFilter>("networking.istio.io/v1alpha3", "EnvoyFilter", where),
  ]);
  return { plugins: plugins.filter(isOwned), filters: filters.filter(isOwned) };
}

export async function readLive(cluster: Cluster, namespace: string, name: string): Promise<Live | undefined> {
  const plugin = await cluster.get<IWasmPlugin>(pluginRef(namespace, name));
  if (plugin === undefined) return undefined;
  refuseForeign(plugin);
  return { plugin, installation: readInstallation(plugin) };
}

/** Names of installations, also of those of which only a part is left. */
export async function installedNames(cluster: Cluster, namespace: string): Promise<string[]> {
  const { plugins, filters } = await ownedObjects(cluster, namespace);
  const all: KubeObject[] = [...plugins, ...filters];
  return [...new Set(all.map(({ metadata }) => metadata?.name ?? ""))].sort();
}

export async function installedPods(
  cluster: Cluster,
  namespace: string,
  name: string,
  istioNamespace: string,
): Promise<SelectedPod[]> {
  const plugin = await cluster.get<IWasmPlugin>(pluginRef(namespace, name));
  if (plugin === undefined) return [];
  const installation: Installation = readInstallation(plugin);
  return (await selectPods(cluster, installation, istioNamespace)).proxies;
}
