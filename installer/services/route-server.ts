// The route server as the proxies of a mesh reach it: what a person calls it, and the cluster that this stands for.
import type { V1Service } from "@kubernetes/client-node";
import { TABLE_PATH } from "../../routes/model/feed.ts";
import { outboundCluster, serviceHost } from "../../routes/model/istio-cluster.ts";
import type { LiveTable } from "../../routes/model/model.ts";
import { parseHostName, parseServiceName } from "../../routes/model/service.ts";
import { didYouMean } from "../../routes/reading/diagnostic.ts";
import { KeywayError, UsageError } from "../../shared/errors.ts";
import { speaksHttp } from "../../shared/services/protocol.ts";
import type { Listed } from "../../shared/services/services.ts";

/** Where tables are asked for; without the scope, which follows from the proxies that ask. */
export type ServerPlace = Pick<LiveTable, "cluster" | "authority" | "path">;

const EXPECTED = "write SERVICE.NAMESPACE:PORT, or http://HOST:PORT for a host outside of the cluster";

/** Only a port that is not given as a number has to be looked up. */
export async function findServer(
  text: string,
  { cluster, namespace, domain }: { cluster: Listed; namespace: string; domain: string },
): Promise<ServerPlace> {
  const { address, path } = takenApart(text);
  const name = parseServiceName(address);
  if (name !== undefined && (name.domain === undefined || name.domain === domain)) {
    const service = { name: name.name, namespace: name.namespace ?? namespace };
    const port = typeof name.port === "number" ? name.port : await portOf(service, name.port, cluster);
    const host = serviceHost(service, domain);
    return {
      cluster: outboundCluster({ port, subset: "", host }),
      authority: `${service.name}.${service.namespace}`,
      ...path,
    };
  }
  const outside = parseHostName(address);
  if (typeof outside?.port !== "number")
    throw new UsageError(`"${text}" names no route server${outside ? ": its port is missing" : ""}`, {
      next: EXPECTED,
    });
  const { host, port } = outside;
  return { cluster: outboundCluster({ port, subset: "", host }), authority: address, ...path };
}

function takenApart(text: string): { address: string; path: { path?: string } } {
  if (!text.includes("://")) return { address: text, path: {} };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "https:")
    throw new UsageError(`the proxies ask ${url.host} in the clear, and the mesh encrypts it`, {
      next: `write ${text.replace("https:", "http:")}; for a host outside, a DestinationRule can originate TLS`,
    });
  if (url?.protocol !== "http:" || url.username || url.password || url.search || url.hash)
    throw new UsageError(`"${text}" is no route server's URL`, { next: EXPECTED });
  const base = url.pathname.replace(/\/+$/, "");
  return {
    address: `${url.hostname}:${url.port || 80}`,
    path: base === "" ? {} : { path: `${base.replace(/\/v1\/table$/, "")}${TABLE_PATH}` },
  };
}

/** The port by its name; without one the only port, or the one that says that it speaks HTTP. */
async function portOf(
  { name, namespace }: { name: string; namespace: string },
  wanted: string | undefined,
  cluster: Listed,
): Promise<number> {
  const services = await cluster.list<V1Service>("v1", "Service", { namespace });
  const names = services.map(({ metadata }) => metadata?.name ?? "");
  const service = services.find(({ metadata }) => metadata?.name === name);
  if (service === undefined)
    throw new KeywayError(`there is no service ${name} in namespace ${namespace}${didYouMean(name, names)}`, {
      next: "see where the route server runs: `kubectl get services -A`",
    });
  const ports = service.spec?.ports ?? [];
  const spoken = ports.filter(speaksHttp);
  const [found, ...more] = wanted ? ports.filter((port) => port.name === wanted) : ports.length === 1 ? ports : spoken;
  if (found !== undefined && more.length === 0) return found.port;
  const all = ports.map((port) => (port.name ? `${port.name} (${port.port})` : String(port.port))).join(", ") || "none";
  throw new UsageError(
    wanted
      ? `${name}.${namespace} has no port ${wanted}; it has ${all}`
      : `which port of ${name}.${namespace}? It has ${all}`,
    { next: `write ${name}.${namespace}:PORT` },
  );
}
