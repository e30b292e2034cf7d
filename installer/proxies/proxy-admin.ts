import { HEADER_CLUSTER, PLUGIN_NAME } from "../../routes/model/names.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { getFromPod, PodDoesNotAnswer } from "../../shared/cluster/port-forward.ts";
import { KeywayError, reason } from "../../shared/errors.ts";
import { NoAnswer } from "../../shared/net/limit.ts";
import { readVersion, type Way } from "../manifests/installation.ts";
import { VERSION_VARIABLE } from "../manifests/names.ts";
import type { Message } from "../twins/spelling.ts";
import type { SelectedPod } from "./selected-pods.ts";

/** Envoy's own interface, open to its pod alone. */
const ADMIN_PORT = 15000;

/** A filter that the proxy got from istiod apart from its listeners: a WasmPlugin, or what the agent put in its place. */
export interface Extension {
  name: string;
  /** The installation's, when this is Keyway's filter. */
  version?: number;
  /** The agent puts an RBAC filter where it could not pull the module. */
  replaced: boolean;
}

/** Keyway's counters and gauges by their names without Envoy's prefix. */
export type Metrics = Partial<Record<string, number>>;

export const METRICS_PATH = "/stats?filter=keyway_&format=json";

/** Reads Envoy's answer to METRICS_PATH. */
export function readMetrics(answer: unknown): Metrics {
  const { stats } = answer as { stats: { name?: string; value?: number }[] };
  const named = stats.flatMap(({ name, value }) =>
    name === undefined ? [] : [[name.replace(/^.*\.(?=keyway_)/, ""), value]],
  );
  return Object.fromEntries(named);
}

/** The proxy does not answer: its process is stopped or gone, or its node is lost. What it runs, nobody knows. */
export class ProxySilent extends KeywayError {}

function silent({ namespace, name }: SelectedPod, cause: NoAnswer | PodDoesNotAnswer): ProxySilent {
  const why = cause instanceof PodDoesNotAnswer ? `: ${cause.said}` : "";
  return new ProxySilent(`the proxy of pod ${namespace}/${name} does not answer${why}`, {
    next: `see whether the pod is well: kubectl describe pod -n ${namespace} ${name}`,
    cause,
  });
}

/** Asks one Envoy, through the API server, what it really runs. */
export class ProxyAdmin {
  readonly pod: SelectedPod;
  readonly #cluster: Cluster;
  readonly #signal: AbortSignal;

  constructor(cluster: Cluster, pod: SelectedPod, signal: AbortSignal) {
    this.pod = pod;
    this.#cluster = cluster;
    this.#signal = signal;
  }

  async istioVersion(): Promise<string> {
    const { node } = (await this.#read("/server_info")) as { node?: { metadata?: { ISTIO_VERSION?: string } } };
    return node?.metadata?.ISTIO_VERSION ?? "unknown";
  }

  async extensions(): Promise<Extension[]> {
    return (await this.#dump("ecds_filters")).map((config) => readExtension((config as EcdsFilter).ecds_filter));
  }

  async metrics(): Promise<Metrics> {
    return readMetrics(await this.#read(METRICS_PATH));
  }

  async clusters(): Promise<Set<string>> {
    const active = (await this.#dump("dynamic_active_clusters", "&mask=cluster.name")) as {
      cluster?: { name: string };
    }[];
    return new Set(active.flatMap(({ cluster }) => (cluster === undefined ? [] : [cluster.name])));
  }

  /** How its clusters find their hosts: `EDS`, `ORIGINAL_DST`, … by the clusters' names. */
  async clusterTypes(): Promise<Map<string, string>> {
    const active = (await this.#dump("dynamic_active_clusters", "&mask=cluster.name,cluster.type")) as {
      cluster?: { name: string; type?: string };
    }[];
    return new Map(
      active.flatMap(({ cluster }) => (cluster === undefined ? [] : [[cluster.name, cluster.type ?? "STATIC"]])),
    );
  }

  /** How many endpoints of these clusters take requests; a cluster without an endpoint list, such as ORIGINAL_DST, is left out. */
  async healthyEndpoints(clusters: readonly string[]): Promise<Map<string, number>> {
    const names = encodeURIComponent(`^(${clusters.map(escaped).join("|")})$`);
    const lists = await Promise.all(
      ["dynamic_endpoint_configs", "static_endpoint_configs"].map((resource) =>
        this.#dump(resource, `&include_eds&name_regex=${names}`),
      ),
    );
    return new Map(
      (lists.flat() as EndpointConfig[]).flatMap(({ endpoint_config }) => {
        const { cluster_name, endpoints = [] } = endpoint_config ?? {};
        const all = endpoints.flatMap(({ lb_endpoints = [] }) => lb_endpoints);
        return cluster_name === undefined ? [] : [[cluster_name, all.filter(takesRequests).length]];
      }),
    );
  }

  /** The routes of one way that lead where the selection header says. */
  async guardedRoutes(way: Way): Promise<GuardedRoute[]> {
    if (way === "outbound") return [...selectingRoutes(await this.#dump("dynamic_route_configs"))];
    const listeners = (await this.#dump("dynamic_listeners", "&name_regex=virtualInbound")) as ListenerDump[];
    // What a listener would have with a configuration that the proxy has refused stands in the dump as well.
    return [...selectingRoutes(listeners.map(({ active_state }) => active_state))];
  }

  /** The listeners whose newest configuration the proxy has refused, with its reason and the configuration. */
  async refusedListeners(): Promise<RefusedListener[]> {
    const listeners = (await this.#dump("dynamic_listeners", "&mask=name,error_state")) as ListenerDump[];
    return listeners.flatMap(({ name = "", error_state }) =>
      error_state === undefined
        ? []
        : [{ name, why: error_state.details ?? "", configuration: JSON.stringify(error_state.failed_configuration) }],
    );
  }

  /** The route configurations that the proxy has from istiod, apart from its listeners. */
  async routeConfigurations(): Promise<Message[]> {
    const dumped = (await this.#dump("dynamic_route_configs")) as { route_config?: Message }[];
    return dumped.flatMap(({ route_config }) => (route_config === undefined ? [] : [route_config]));
  }

  /** Empty when the proxy has nothing of the kind. */
  async #dump(resource: string, query = ""): Promise<unknown[]> {
    const { configs = [] } = (await this.#read(`/config_dump?resource=${resource}${query}`, 404)) as {
      configs?: unknown[];
    };
    return configs;
  }

  async #read(path: string, none?: number): Promise<unknown> {
    const at = { namespace: this.pod.namespace, pod: this.pod.name, port: ADMIN_PORT };
    const { status, body } = await getFromPod(this.#cluster, at, path, this.#signal).catch((thrown: unknown) => {
      throw thrown instanceof NoAnswer || thrown instanceof PodDoesNotAnswer ? silent(this.pod, thrown) : thrown;
    });
    if (status === none) return {};
    try {
      if (status === 200) return JSON.parse(body);
      throw new Error(`${status} ${body.slice(0, 200)}`);
    } catch (cause) {
      throw new KeywayError(`the proxy's answer to ${path} can't be read: ${reason(cause)}`, {
        where: `pod ${this.pod.namespace}/${this.pod.name}`,
        cause,
      });
    }
  }
}

/** Istio names the filter after the plugin, with a prefix that differs between its versions. */
export function isFilterOf(filter: string, namespace: string, plugin: string): boolean {
  return filter === `${namespace}.${plugin}` || filter.endsWith(`/${namespace}.${plugin}`);
}

export interface RefusedListener {
  name: string;
  why: string;
  /** JSON. */
  configuration: string;
}

interface ListenerDump {
  name?: string;
  active_state?: unknown;
  error_state?: { details?: string; failed_configuration?: unknown };
}

interface EcdsFilter {
  ecds_filter?: TypedExtension;
}
interface TypedExtension {
  name?: string;
  typed_config?: {
    "@type"?: string;
    config?: { root_id?: string; vm_config?: { environment_variables?: { key_values?: Record<string, string> } } };
  };
}

function readExtension({ name = "", typed_config }: TypedExtension = {}): Extension {
  const plugin = typed_config?.config;
  const version = plugin?.vm_config?.environment_variables?.key_values?.[VERSION_VARIABLE];
  const replaced = typed_config?.["@type"]?.endsWith(".RBAC") === true;
  return plugin?.root_id === PLUGIN_NAME && version !== undefined
    ? { name, version: readVersion(version), replaced }
    : { name, replaced };
}

interface Endpoint {
  health_status?: string;
}

interface EndpointConfig {
  endpoint_config?: { cluster_name?: string; endpoints?: { lb_endpoints?: Endpoint[] }[] };
}

function takesRequests({ health_status = "UNKNOWN" }: Endpoint): boolean {
  return ["UNKNOWN", "HEALTHY", "DEGRADED"].includes(health_status);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

export type GuardedRoute = {
  name?: string;
  route: { cluster_header: string };
  match?: { filter_state?: unknown[] };
};

function* selectingRoutes(value: unknown): Generator<GuardedRoute> {
  if (typeof value !== "object" || value === null) return;
  if ((value as GuardedRoute).route?.cluster_header === HEADER_CLUSTER) yield value as GuardedRoute;
  else for (const inner of Object.values(value)) yield* selectingRoutes(inner);
}
