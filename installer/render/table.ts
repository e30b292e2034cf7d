// The cluster of route servers, over which a plain Envoy gets its live table.
import { isIP } from "node:net";
import type { LiveTable } from "../../routes/model/model.ts";
import { PLUGIN_NAME } from "../../routes/model/names.ts";
import { type Address, socket } from "./parts.ts";

export interface Table {
  servers: readonly Address[];
  scope?: string;
  token?: string;
}

/** What the filter's configuration says of it. */
export function liveTable({ servers, scope, token }: Table): LiveTable {
  const [{ host, port } = { host: PLUGIN_NAME, port: 80 }] = servers;
  return {
    cluster: PLUGIN_NAME,
    authority: `${host.includes(":") ? `[${host}]` : host}:${port}`,
    ...(scope !== undefined && { scope }),
    ...(token !== undefined && { token }),
  };
}

/**
 * One server or several on one store. It speaks HTTP/1.1: a poll that gets no answer in time then ends its connection, and the next one
 * makes another; a connection of HTTP/2 would stay, dead. Nothing is retried here, since the filter asks again by itself.
 */
export function tableCluster({ servers }: Pick<Table, "servers">) {
  const endpoints = servers.map((address) => ({ endpoint: { address: socket(address) } }));
  const named = servers.some(({ host }) => isIP(host) === 0);
  return {
    name: PLUGIN_NAME,
    // Of a name with addresses of both kinds the server may listen on one alone, as `localhost` does.
    ...(named && { type: "STRICT_DNS", dns_lookup_family: "V4_PREFERRED" }),
    connect_timeout: "1s",
    // A server that is gone is left out for a while, unless none is left.
    outlier_detection: { consecutive_5xx: 2, interval: "1s", base_ejection_time: "5s", max_ejection_percent: 50 },
    load_assignment: { cluster_name: PLUGIN_NAME, endpoints: [{ lb_endpoints: endpoints }] },
  };
}
