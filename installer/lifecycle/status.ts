import {
  METRIC_MISSING_TARGET,
  METRIC_ROUTED,
  METRIC_TABLE_ROUTES,
  METRIC_TABLE_VERSION,
} from "../../routes/model/names.ts";
import { reason } from "../cli/errors.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { editsOf } from "../cluster/managed-fields.ts";
import { type IWasmPlugin, qualified, title } from "../cluster/object.ts";
import { describeScope, type Installation, readInstallation } from "../manifests/installation.ts";
import { previousOf } from "../manifests/previous.ts";
import { whyNotLoaded } from "../proxies/probes.ts";
import { type Metrics, ProxyAdmin } from "../proxies/proxy-admin.ts";
import { selectPods } from "../proxies/selected-pods.ts";
import { inBatches } from "../proxies/wait.ts";
import { ownedObjects } from "./installed.ts";

export interface PodStatus {
  namespace: string;
  pod: string;
  workload: string;
  /** Whether it runs the installed version. */
  ready: boolean;
  /** Why it does not. */
  error?: string;
  routes?: number;
  tableVersion?: number;
  routed?: number;
  missingTarget?: number;
  metrics?: Metrics;
}

export interface InstallationStatus {
  namespace: string;
  name: string;
  mode: string;
  scope: string;
  module: string;
  version: number;
  routes: number;
  /** The version that a rollback returns to. */
  previous?: number;
  errors: string[];
  pods: PodStatus[];
}

export interface StatusOptions {
  cluster: Cluster;
  namespace: string | undefined;
  istioNamespace: string;
  signal: AbortSignal;
}

/** What is installed, and what the selected proxies really do. */
export async function statusOf(options: StatusOptions): Promise<InstallationStatus[]> {
  const { plugins, filters } = await ownedObjects(options.cluster, options.namespace);
  const found: InstallationStatus[] = [];
  for (const plugin of plugins) {
    const filter = filters.find(({ metadata }) => qualified(metadata) === qualified(plugin.metadata));
    const edits = [plugin, ...(filter === undefined ? [] : [filter])].flatMap((object) =>
      editsOf(object).map(({ manager, fields }) => `${title(object)} was edited by ${manager}: ${fields.join(", ")}`),
    );
    const missing = filter === undefined ? ["its EnvoyFilter is missing: what the filter selects goes nowhere"] : [];
    found.push({ ...(await describe(plugin, options)), errors: [...missing, ...edits] });
  }
  const alone = filters.filter(
    (filter) => !plugins.some((one) => qualified(one.metadata) === qualified(filter.metadata)),
  );
  return [...found, ...alone.map((filter) => ({ ...emptyOf(filter.metadata), errors: ["its WasmPlugin is missing"] }))];
}

async function describe(
  plugin: IWasmPlugin,
  { cluster, istioNamespace, signal }: StatusOptions,
): Promise<InstallationStatus> {
  const installation = readInstallation(plugin);
  const { proxies } = await selectPods(cluster, installation, istioNamespace);
  const pods = await inBatches(proxies, 16, (pod) => podStatus(new ProxyAdmin(cluster, pod, signal), installation));
  const previous = previousOf(plugin)?.version;
  const { namespace, name, mode, module, version, config } = installation;
  const routes = Array.isArray(config.routes) ? config.routes.length : 0;
  const scope = describeScope(installation.scope);
  return { namespace, name, mode, scope, module, version, routes, ...(previous && { previous }), errors: [], pods };
}

async function podStatus(proxy: ProxyAdmin, installation: Installation): Promise<PodStatus> {
  const { namespace, name: pod, workload } = proxy.pod;
  try {
    const error = await whyNotLoaded(proxy, installation);
    const metrics = await proxy.metrics();
    const shown = {
      routes: metrics[METRIC_TABLE_ROUTES] ?? 0,
      tableVersion: metrics[METRIC_TABLE_VERSION] ?? 0,
      routed: metrics[METRIC_ROUTED] ?? 0,
      missingTarget: metrics[METRIC_MISSING_TARGET] ?? 0,
      metrics,
    };
    return { namespace, pod, workload, ready: error === undefined, ...(error !== undefined && { error }), ...shown };
  } catch (thrown) {
    return { namespace, pod, workload, ready: false, error: reason(thrown) };
  }
}

function emptyOf(
  metadata: { name?: string | undefined; namespace?: string | undefined } | undefined,
): InstallationStatus {
  const { namespace = "", name = "" } = metadata ?? {};
  return { namespace, name, mode: "", scope: "", module: "", version: 0, routes: 0, errors: [], pods: [] };
}
