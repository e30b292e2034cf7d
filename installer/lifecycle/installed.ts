import type { Cluster } from "../../shared/cluster/cluster.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import { type Installation, type Live, readInstallation } from "../manifests/installation.ts";
import { filterRef, type IEnvoyFilter, type IWasmPlugin, pluginRef } from "../manifests/kinds.ts";
import { isOwned, refuseForeign } from "../manifests/ownership.ts";
import { type SelectedPod, selectPods } from "../proxies/selected-pods.ts";

export interface Objects {
  plugins: IWasmPlugin[];
  filters: IEnvoyFilter[];
}

/** What Keyway has made in a namespace, or everywhere. */
export async function ownedObjects(cluster: Cluster, namespace: string | undefined): Promise<Objects> {
  // Objects are not selected by a label, because versions of Keyway differ in the label that marks an object as theirs.
  const where = namespace === undefined ? {} : { namespace };
  const [plugins, filters] = await Promise.all([
    cluster.list<IWasmPlugin>("extensions.istio.io/v1alpha1", "WasmPlugin", where),
    cluster.list<IEnvoyFilter>("networking.istio.io/v1alpha3", "EnvoyFilter", where),
  ]);
  return { plugins: plugins.filter(isOwned), filters: filters.filter(isOwned) };
}

export async function readLive(cluster: Cluster, namespace: string, name: string): Promise<Live> {
  const plugin = await cluster.get<IWasmPlugin>(pluginRef(namespace, name));
  const filter = await cluster.get<IEnvoyFilter>(filterRef(namespace, name));
  for (const object of [plugin, filter]) if (object !== undefined) refuseForeign(object);
  return { plugin, filter, installation: plugin && readInstallation(plugin) };
}

/** Names of installations, also of those of which only a part is left. */
export async function installedNames(cluster: Cluster, namespace: string): Promise<string[]> {
  const { plugins, filters } = await ownedObjects(cluster, namespace);
  const all: KubeObject[] = [...plugins, ...filters];
  return [...new Set(all.map(({ metadata }) => metadata?.name ?? ""))].sort();
}

/** Lists the pods that an installation selects, also when its WasmPlugin, which says which, is deleted meanwhile. */
export async function installedPods(
  cluster: Cluster,
  namespace: string,
  name: string,
  istioNamespace: string,
): Promise<() => Promise<SelectedPod[]>> {
  const plugin = await cluster.get<IWasmPlugin>(pluginRef(namespace, name));
  if (plugin === undefined) return async () => [];
  const installation: Installation = readInstallation(plugin);
  return async () => (await selectPods(cluster, installation, istioNamespace)).proxies;
}
