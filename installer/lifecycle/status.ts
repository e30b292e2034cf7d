import {
  METRIC_MISSING_TARGET,
  METRIC_ROUTED,
  METRIC_TABLE_AGE,
  METRIC_TABLE_ROUTES,
  METRIC_TABLE_VERSION,
} from "../../routes/model/names.ts";
import { atOnce } from "../../shared/at-once.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { type KubeObject, qualified, title } from "../../shared/cluster/object.ts";
import { reason } from "../../shared/errors.ts";
import { PLUGIN_MISSING } from "../check/plugin.ts";
import { editsOf } from "../manifests/edits.ts";
import { readFilter } from "../manifests/envoyfilter.ts";
import { describeScope, type Installation, readInstallation, tableOf, targetNames } from "../manifests/installation.ts";
import type { IEnvoyFilter, IWasmPlugin } from "../manifests/kinds.ts";
import { previousOf } from "../manifests/previous.ts";
import { whyNotLoaded } from "../proxies/probes.ts";
import { type Metrics, ProxyAdmin, ProxySilent } from "../proxies/proxy-admin.ts";
import { selectPods } from "../proxies/selected-pods.ts";
import { missingClusters } from "../proxies/targets.ts";
import { staleTwinsOf } from "../proxies/twins.ts";
import { ownedObjects } from "./installed.ts";

export interface MissingTarget {
  target: string;
  why: string;
}

export interface PodStatus {
  namespace: string;
  pod: string;
  workload: string;
  /** Whether it runs the installed version. */
  ready: boolean;
  /** Why it does not run the installed version. */
  error?: string;
  /** Its proxy does not answer, so nobody knows what it runs. */
  silent?: true;
  routes?: number;
  tableVersion?: number;
  /** Seconds since the route server last confirmed its live table. */
  tableAge?: number;
  routed?: number;
  /** Requests that stayed at the baseline for want of their target. */
  missingTarget?: number;
  /** The targets that this proxy can't send requests to now. */
  missingTargets?: MissingTarget[];
  metrics?: Metrics;
}

export interface InstallationStatus {
  namespace: string;
  name: string;
  mode: string;
  scope: string;
  /** `unknown` where the WasmPlugin is gone. */
  module: string;
  /** 0 where it is not known. */
  version: number;
  routes: number;
  /** Where its proxies get the live table. */
  table?: { cluster: string; scope: string };
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

/** The state of each installation, and what the selected proxies run and report. */
export async function statusOf(options: StatusOptions): Promise<InstallationStatus[]> {
  const { plugins, filters } = await ownedObjects(options.cluster, options.namespace);
  const same = (a: KubeObject) => (b: KubeObject) => qualified(a.metadata) === qualified(b.metadata);
  const found: InstallationStatus[] = [];
  for (const plugin of plugins) {
    found.push(await describe(plugin, filters.find(same(plugin)), options));
  }
  for (const filter of filters) if (!plugins.some(same(filter))) found.push(await describeRest(filter, options));
  return found;
}

/** Everything that is wrong, one line each, for people and for the exit code. */
export function problemsOf({ errors, pods }: InstallationStatus): string[] {
  const ofPods = pods.flatMap(({ pod, error }) => (error === undefined ? [] : [`pod ${pod}: ${error}`]));
  return [...errors, ...ofPods, ...missingIn(pods)];
}

const FILTER_MISSING =
  "its EnvoyFilter is missing, so what the filter selects stays at the baseline: `keyway upgrade` makes it anew";

function editsIn(objects: KubeObject[]): string[] {
  return objects.flatMap((object) =>
    editsOf(object).map(({ manager, fields }) => `${title(object)} was edited by ${manager}: ${fields.join(", ")}`),
  );
}

/** The targets that are missing, each with the number of proxies that miss it. */
function missingIn(pods: PodStatus[]): string[] {
  const seen = new Map<string, number>();
  for (const { missingTargets = [] } of pods)
    for (const { target, why } of missingTargets) {
      const line = `target ${target} is missing (${why})`;
      seen.set(line, (seen.get(line) ?? 0) + 1);
    }
  return [...seen].map(
    ([line, count]) => `${line} in ${count} of ${pods.length} proxies: its requests stay at the baseline`,
  );
}

async function describe(
  plugin: IWasmPlugin,
  filter: IEnvoyFilter | undefined,
  { cluster, istioNamespace, signal }: StatusOptions,
): Promise<InstallationStatus> {
  const installation = readInstallation(plugin);
  const { proxies } = await selectPods(cluster, installation, istioNamespace);
  const pods = await atOnce(16, proxies, (pod) =>
    podStatus(new ProxyAdmin(cluster, pod, signal), installation, signal),
  );
  const stale =
    filter === undefined ? [] : await staleTwinsOf(cluster, installation, { pods: proxies, filter, signal });
  const errors = [
    ...(filter === undefined ? [FILTER_MISSING] : []),
    ...stale.map((what) => `${what} since the twins of its routes were made: \`keyway upgrade\` makes them anew`),
    ...editsIn(filter === undefined ? [plugin] : [plugin, filter]),
  ];
  const previous = previousOf(plugin)?.version;
  const { namespace, name, mode, module, version, config } = installation;
  const routes = Array.isArray(config.routes) ? config.routes.length : 0;
  const scope = describeScope(installation.scope);
  const { cluster: server, scope: held = "" } = tableOf(installation) ?? {};
  const table = server === undefined ? {} : { table: { cluster: server, scope: held } };
  return {
    namespace,
    name,
    mode,
    scope,
    module,
    version,
    routes,
    ...table,
    ...(previous && { previous }),
    errors,
    pods,
  };
}

/** A server answers at least every twenty seconds, so that one which is a minute behind is gone. */
const FOLLOWING = 60; // seconds

function whyNotFollowing({ [METRIC_TABLE_AGE]: age = 0 }: Metrics): string | undefined {
  if (age < FOLLOWING) return undefined;
  return `it has not heard from the route server for ${age} s, so the table that it had serves on: see its log, and \`keyway check\``;
}

/** An installation of which only the EnvoyFilter is left. */
async function describeRest(filter: IEnvoyFilter, options: StatusOptions): Promise<InstallationStatus> {
  const { name, namespace, mode, scope } = readFilter(filter);
  const { proxies } = await selectPods(options.cluster, { namespace, mode, scope }, options.istioNamespace);
  return {
    ...{ namespace, name, mode, scope: describeScope(scope), module: "unknown", version: 0, routes: 0 },
    errors: [`${PLUGIN_MISSING.what}: ${PLUGIN_MISSING.next}`],
    pods: proxies.map(({ namespace, name, workload }) => ({ namespace, pod: name, workload, ready: false })),
  };
}

async function podStatus(proxy: ProxyAdmin, installation: Installation, signal: AbortSignal): Promise<PodStatus> {
  const { namespace, name: pod, workload } = proxy.pod;
  try {
    const notLoaded = await whyNotLoaded(proxy, installation);
    const metrics = await proxy.metrics();
    const error = notLoaded ?? (tableOf(installation) && whyNotFollowing(metrics));
    const missing = await missingClusters(proxy, targetNames(installation));
    const shown = {
      routes: metrics[METRIC_TABLE_ROUTES] ?? 0,
      tableVersion: metrics[METRIC_TABLE_VERSION] ?? 0,
      ...(tableOf(installation) && { tableAge: metrics[METRIC_TABLE_AGE] ?? 0 }),
      routed: metrics[METRIC_ROUTED] ?? 0,
      missingTarget: metrics[METRIC_MISSING_TARGET] ?? 0,
      missingTargets: [...missing].map(([target, why]) => ({ target, why })),
      metrics,
    };
    return {
      namespace,
      pod,
      workload,
      ready: notLoaded === undefined,
      ...(error !== undefined && { error }),
      ...shown,
    };
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    const error = thrown instanceof ProxySilent ? thrown.message : reason(thrown);
    return { namespace, pod, workload, ready: false, error, ...(thrown instanceof ProxySilent && { silent: true }) };
  }
}
