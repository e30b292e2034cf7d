// envoy.yaml with other routes, clusters and plugin configuration, and every port left to the kernel.
import {
  type Bootstrap,
  type Cluster,
  example,
  type HttpFilter,
  type Listener,
  manager,
  type Plugin,
} from "../../../scripts/proxy/bootstrap.ts";

/** The plugin configuration: an object is written as JSON; text and bytes go as they are. */
export type Configuration = object | string | Uint8Array;
export type Setup = {
  /** What the filter is given. */
  config: Configuration;
  /** Baseline clusters by path prefix; a longer prefix goes first. */
  baselines?: Record<string, string>;
  /** Ports by cluster name; every baseline must be among them. */
  ports: Record<string, number>;
};

export function bootstrap({ config, baselines = { "/": "reviews" }, ports }: Setup): Bootstrap {
  const made = example();
  made.admin.address.socket_address.port_value = 0;
  const [web] = made.static_resources.listeners as [Listener];
  web.address.socket_address.port_value = 0;
  setRoutes(web, baselines);
  plugin(web).configuration = encoded(config);
  made.static_resources.clusters = Object.entries(ports).map(([name, port]) => cluster(name, port));
  return made;
}

/** Replaces the baseline routes; the two guards, which are first in the file, stay. */
export function setRoutes(listener: Listener, baselines: Record<string, string>): void {
  const [host] = manager(listener).route_config.virtual_hosts;
  const prefixes = Object.keys(baselines).sort((a, b) => b.length - a.length);
  const routes = prefixes.map((prefix) => ({
    match: { prefix },
    route: { cluster: baselines[prefix], timeout: "0s" },
  }));
  host?.routes.splice(2, Number.POSITIVE_INFINITY, ...routes);
}

export function httpFilter(listener: Listener): HttpFilter {
  return manager(listener).http_filters[0] as HttpFilter;
}

export function plugin(listener: Listener): Plugin {
  return httpFilter(listener).typed_config?.config as Plugin;
}

/** Bytes travel as BytesValue, the one form that may hold what is not UTF-8. */
export function encoded(config: Configuration): Plugin["configuration"] {
  if (config instanceof Uint8Array)
    return { "@type": "type.googleapis.com/google.protobuf.BytesValue", value: Buffer.from(config).toString("base64") };
  const value = typeof config === "string" ? config : JSON.stringify(config);
  return { "@type": "type.googleapis.com/google.protobuf.StringValue", value };
}

/** A cluster of one endpoint, or of none where `port` is undefined. */
export function cluster(name: string, port?: number): Cluster {
  const address = { socket_address: { address: "127.0.0.1", port_value: port ?? 0 } };
  const endpoints = port === undefined ? [] : [{ lb_endpoints: [{ endpoint: { address } }] }];
  return { name, load_assignment: { cluster_name: name, endpoints } };
}

export function http2(cluster: Cluster): Cluster {
  const type = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  const options = { "@type": type, explicit_http_config: { http2_protocol_options: {} } };
  return {
    ...cluster,
    typed_extension_protocol_options: { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options },
  };
}
