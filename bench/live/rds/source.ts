// Envoy's own way to change routes while it runs: a route for each key in its route configuration, which a control plane sends anew by
// incremental route discovery (RDS) over gRPC.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { bootstrap, type Json } from "../../lib/bootstrap.ts";
import { noFilter } from "../../lib/sites.ts";
import { routeOf } from "../bed.ts";
import type { Source } from "../source.ts";
import { CLUSTER, NAME, type Setting } from "./names.ts";

const program = fileURLToPath(new URL("control-plane.ts", import.meta.url));

export async function routeDiscovery<T>(keys: number, work: (source: Source) => Promise<T>): Promise<T> {
  const child = fork(program, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  try {
    const [port] = await once(child, "message");
    const set = async (settings: Setting[]) => {
      const answered = once(child, "message");
      child.send(settings);
      await answered;
    };
    await set(Array.from({ length: keys }, (_, index) => routeOf(index)));
    return await work({
      pid: child.pid as number,
      cluster: CLUSTER,
      changes: `rds.${NAME}.config_reload`,
      configuration: (upstreamPort) => following(port, bootstrap(noFilter, upstreamPort)),
      change: async ({ key, to }) => set([{ key, to }]),
      // An Envoy is not live before its first routes have come.
      holds: async () => {},
    });
  } finally {
    child.kill();
    await once(child, "exit");
  }
}

// biome-ignore lint/suspicious/noExplicitAny: Envoy's configuration is a tree that is only walked here
function following(port: number, config: any): Json {
  const manager = config.static_resources.listeners[0].filter_chains[0].filters[0].typed_config;
  delete manager.route_config;
  const service = { envoy_grpc: { cluster_name: CLUSTER } };
  const source = { api_type: "DELTA_GRPC", transport_api_version: "V3", grpc_services: [service] };
  manager.rds = {
    route_config_name: NAME,
    config_source: { resource_api_version: "V3", api_config_source: source, initial_fetch_timeout: "0s" },
  };
  const address = { socket_address: { address: "127.0.0.1", port_value: port } };
  const options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  config.static_resources.clusters.push({
    name: CLUSTER,
    load_assignment: { cluster_name: CLUSTER, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    typed_extension_protocol_options: {
      [options]: { "@type": `type.googleapis.com/${options}`, explicit_http_config: { http2_protocol_options: {} } },
    },
  });
  return config;
}
