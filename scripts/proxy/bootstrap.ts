// envoy.yaml as an object, for whoever runs it with other ports, routes or clusters.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

type Address = { socket_address: { address: string; port_value: number } };
export type Typed = { "@type": string; [field: string]: unknown };
export type Plugin = {
  name: string;
  root_id: string;
  failure_policy: string;
  vm_config: { vm_id: string; runtime: string; code: { local: { filename: string } } };
  configuration: { "@type": string; value: string };
};
export type HttpFilter = { name: string; typed_config?: Typed & { config?: Plugin }; config_discovery?: object };
export type AccessLog = { name: string; filter?: object; typed_config: Typed };
export type Route = { match: object; route: object; request_headers_to_remove?: string[] };
export type VirtualHost = { name: string; domains: string[]; routes: Route[] };
export type Manager = Typed & {
  http_filters: HttpFilter[];
  route_config: { name: string; virtual_hosts: VirtualHost[] };
  access_log: AccessLog[];
};
export type Listener = {
  name: string;
  address: Address;
  filter_chains: { filters: { name: string; typed_config: Manager }[] }[];
};
export type Cluster = {
  name: string;
  load_assignment: { cluster_name: string; endpoints: { lb_endpoints: { endpoint: { address: Address } }[] }[] };
  typed_extension_protocol_options?: object;
};
export type Bootstrap = {
  static_resources: { listeners: Listener[]; clusters: Cluster[] };
  dynamic_resources?: object;
  admin: { address: Address };
};

/** A fresh copy of what envoy.yaml says. */
export function example(): Bootstrap {
  return parse(readFileSync(join(ROOT, "envoy.yaml"), "utf8"));
}

/** The connection manager of a listener that has one filter chain with nothing else in it. */
export function manager(listener: Listener): Manager {
  const found = listener.filter_chains[0]?.filters[0];
  if (!found) throw new Error(`listener ${listener.name} has no filter chain`);
  return found.typed_config;
}

/** The endpoint's address of a cluster that has one endpoint. */
export function endpoint(cluster: Cluster): Address["socket_address"] {
  const found = cluster.load_assignment.endpoints[0]?.lb_endpoints[0];
  if (!found) throw new Error(`cluster ${cluster.name} has no endpoint`);
  return found.endpoint.address.socket_address;
}
