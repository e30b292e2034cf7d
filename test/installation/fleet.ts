// An API server double with pods whose proxies have at once what the cluster's WasmPlugin and EnvoyFilter say, as if istiod had
// told them.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deadline } from "../../installer/cli/connect.ts";
import { execute } from "../../installer/execute/execute.ts";
import { readLive } from "../../installer/lifecycle/installed.ts";
import type { IEnvoyFilter, IWasmPlugin } from "../../installer/manifests/kinds.ts";
import { FIELD_MANAGER } from "../../installer/manifests/names.ts";
import { planInstallation } from "../../installer/plan/installation.ts";
import type { DesiredState } from "../../installer/plan/versions.ts";
import { selectPods } from "../../installer/proxies/selected-pods.ts";
import { Cluster } from "../../shared/cluster/cluster.ts";
import { type ApiServer, startApiServer } from "../double/api-server.ts";
import { kubeconfig } from "../double/kubeconfig.ts";
import { dnsSays } from "../double/names.ts";
import type { PodHandler } from "../double/port-forward.ts";
import type { Stored } from "../double/store.ts";

export const SANDBOX = "outbound|9080||reviews-pr-42.demo.svc.cluster.local";

export const desired: DesiredState = {
  name: "keyway",
  namespace: "demo",
  mode: "outbound",
  scope: { labels: { app: "caller" } },
  module: `oci://registry.example.com/keyway@sha256:${"a".repeat(64)}`,
  config: { routes: [{ from: "outbound|9080||reviews.demo.svc.cluster.local", key: "pr-42", to: SANDBOX }] },
  failStrategy: "FAIL_OPEN",
  priority: 10,
};

export const pluginKey = {
  apiVersion: "extensions.istio.io/v1alpha1",
  kind: "WasmPlugin",
  metadata: { name: "keyway", namespace: "demo" },
};
export const filterKey = { ...pluginKey, apiVersion: "networking.istio.io/v1alpha3", kind: "EnvoyFilter" };

export interface Fleet {
  server: ApiServer;
  cluster: Cluster;
  /** Path of a kubeconfig for the double. */
  kubeconfig: string;
  /** What was told on stderr. */
  told: string[];
  /** Clusters that proxies know, with the number of their healthy endpoints. */
  clusters: Map<string, number>;
  /** The route configurations that proxies have from istiod, beside what the EnvoyFilter brings. */
  routeConfigurations: object[];
  /** What proxies count, by the contract's names. */
  metrics: Record<string, number>;
  /** What the proxies of single pods count instead. */
  metricsOfPods: Record<string, Record<string, number>>;
  /** Whether proxies refuse a listener with the watcher in it. */
  refusesWatcher: boolean;
  close(): Promise<void>;
}

export async function startFleet(): Promise<Fleet> {
  // The registry of `desired` is nowhere.
  const withNames = dnsSays("ENOTFOUND");
  const server = await startApiServer({ tls: true });
  const directory = await mkdtemp(join(tmpdir(), "keyway-test-"));
  const path = join(directory, "kubeconfig");
  await writeFile(path, kubeconfig(server));
  const fleet: Fleet = {
    server,
    cluster: await Cluster.connect(
      { kubeconfig: path },
      {},
      { signal: new AbortController().signal, fieldManager: FIELD_MANAGER, rightsHint: "ask for rights" },
    ),
    kubeconfig: path,
    told: [],
    clusters: new Map([[SANDBOX, 1]]),
    routeConfigurations: [],
    metrics: {},
    metricsOfPods: {},
    refusesWatcher: false,
    async close() {
      withNames();
      await server.close();
      await rm(directory, { recursive: true });
    },
  };
  addPod(fleet, "caller-1", { app: "caller" });
  return fleet;
}

export function addPod(fleet: Fleet, name: string, labels: Record<string, string>, ready = true): void {
  fleet.server.put({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "demo", labels },
    spec: { containers: [{ name: "app" }, { name: "istio-proxy" }] },
    status: { phase: "Running", conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  });
  if (ready) fleet.server.pods.listen(`demo/${name}`, 15000, proxyOf(fleet, name));
}

function proxyOf(fleet: Fleet, pod: string): PodHandler {
  return (request, response) => {
    const url = new URL(`${request.url}`, "http://proxy");
    const answer = url.pathname === "/config_dump" ? { configs: dump(fleet, url) } : other(fleet, pod, url);
    response.end(JSON.stringify(answer));
  };
}

function other(fleet: Fleet, pod: string, { pathname }: URL): object {
  if (pathname === "/server_info") return { node: { metadata: { ISTIO_VERSION: "1.29.1" } } };
  const metrics = fleet.metricsOfPods[pod] ?? fleet.metrics;
  return { stats: Object.entries(metrics).map(([name, value]) => ({ name: `wasmcustom.${name}`, value })) };
}

function dump({ server, clusters, refusesWatcher, routeConfigurations }: Fleet, { searchParams }: URL): object[] {
  const plugin = server.find(pluginKey) as IWasmPlugin | undefined;
  const filter = server.find(filterKey) as IEnvoyFilter | undefined;
  const resource = searchParams.get("resource");
  if (resource === "ecds_filters") {
    const env = plugin?.spec?.vmConfig?.env ?? [];
    const key_values = Object.fromEntries(env.map(({ name, value }) => [name, value]));
    const config = { root_id: "keyway", vm_config: { environment_variables: { key_values } } };
    return plugin ? [{ ecds_filter: { name: "demo.keyway", typed_config: { config } } }] : [];
  }
  if (resource === "dynamic_route_configs") {
    return [patchesOf(filter, false), ...routeConfigurations.map((route_config) => ({ route_config }))];
  }
  if (resource === "dynamic_listeners" && refusesWatcher) {
    const failed_configuration = { access_log: [{ config: { name: "keyway-watch" } }] };
    return [{ name: "0.0.0.0_9080", error_state: { details: "Unable to create Wasm plugin", failed_configuration } }];
  }
  if (resource === "dynamic_listeners") return [{ name: "virtualInbound", active_state: patchesOf(filter, true) }];
  if (resource === "dynamic_active_clusters") return [...clusters.keys()].map((name) => ({ cluster: { name } }));
  if (resource === "dynamic_endpoint_configs") {
    return [...clusters].map(([cluster_name, healthy]) => ({
      endpoint_config: {
        cluster_name,
        endpoints: [{ lb_endpoints: Array(healthy).fill({ health_status: "HEALTHY" }) }],
      },
    }));
  }
  return [];
}

/** What an EnvoyFilter brings to the inbound listener, or to all else. */
function patchesOf(filter: IEnvoyFilter | undefined, inbound: boolean): unknown[] {
  const patches = filter?.spec?.configPatches ?? [];
  return patches.filter(({ match }) => (match?.context === "SIDECAR_INBOUND") === inbound);
}

/** Installs what is desired over what is there, as `install` does once the conditions hold. */
export async function put(fleet: Fleet, state: DesiredState = desired, options: { force?: boolean; now?: Date } = {}) {
  const live = await readLive(fleet.cluster, "demo", "keyway");
  return putOver(fleet, live, state, options);
}

export async function putOver(
  fleet: Fleet,
  live: Awaited<ReturnType<typeof readLive>>,
  state: DesiredState,
  { force = false, now = new Date() }: { force?: boolean; now?: Date } = {},
) {
  const { cluster, told } = fleet;
  const plan = planInstallation(state, live, { now, recoveryHint: "look with status" });
  const listPods = async () => (await selectPods(cluster, state, "istio-system")).proxies;
  const tell = (text: string) => void told.push(text);
  const steps = { update: () => {}, done: tell, warn: tell, next: tell };
  const signal = deadline(new AbortController().signal, 1);
  return execute(plan, { cluster, listPods, force, wait: true, signal, steps });
}

export function stored(fleet: Fleet, key: typeof pluginKey): Stored | undefined {
  return fleet.server.find(key);
}
