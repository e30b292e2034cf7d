import { namedServices } from "../../routes/compiling/named-services.ts";
import type { Host, Service, ServicePort } from "../../routes/model/service.ts";
import type { RouteFile } from "../../routes/reading/route-file.ts";
import type { KubeObject } from "../cluster/object.ts";
import { KeywayError } from "../errors.ts";
import type { Listed } from "./services.ts";

interface ServiceEntry extends KubeObject {
  spec?: { hosts?: string[]; ports?: { number: number; name?: string }[] };
}

/** The hosts of the ServiceEntries of all namespaces, looked for only where the route file names something that is none of
 * `services`. Undefined when nothing is known of them: nobody looked, there are none, or they may not be listed. */
export async function hostsFor(
  cluster: Listed,
  file: RouteFile,
  services: readonly Service[],
  namespace: string,
): Promise<Host[] | undefined> {
  const known = new Set(services.map((service) => `${service.name}.${service.namespace}`));
  const others = namedServices(file).filter(
    ({ isHost, name, namespace: own = namespace }) => isHost || !known.has(`${name}.${own}`),
  );
  if (others.length === 0) return undefined;
  const hosts = hostsOf(await serviceEntries(cluster));
  return hosts.length === 0 ? undefined : hosts;
}

async function serviceEntries(cluster: Listed): Promise<ServiceEntry[]> {
  try {
    return await cluster.list<ServiceEntry>("networking.istio.io/v1", "ServiceEntry");
  } catch (thrown) {
    if (thrown instanceof KeywayError) return [];
    throw thrown;
  }
}

/** Several entries may name one host, each with ports of its own. */
function hostsOf(entries: readonly ServiceEntry[]): Host[] {
  const ports = new Map<string, Map<number, ServicePort>>();
  for (const { spec } of entries) {
    for (const host of spec?.hosts ?? []) {
      const known = ports.get(host) ?? new Map<number, ServicePort>();
      for (const { number, name } of spec?.ports ?? []) known.set(number, { port: number, ...(name && { name }) });
      ports.set(host, known);
    }
  }
  return [...ports].map(([host, known]) => ({ host, ports: [...known.values()] }));
}
