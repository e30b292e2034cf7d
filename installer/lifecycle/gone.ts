import { parseOutboundCluster, parseServiceHost } from "../../routes/model/istio-cluster.ts";
import type { Service } from "../../routes/model/service.ts";
import { type Installation, targetNames } from "../manifests/installation.ts";

/**
 * The services that the installed routes lead to and that are gone since, with the ports that are known of them. A route file that
 * still names one can thus be compiled as before; the checks report that the target is missing.
 */
export function goneTargets(live: Installation | undefined, present: readonly Service[]): Service[] {
  if (live === undefined) return [];
  const known = new Set(present.map(({ name, namespace }) => `${name}.${namespace}`));
  const ports = new Map<string, { name: string; namespace: string; ports: Set<number> }>();
  for (const cluster of targetNames(live)) {
    const parsed = parseOutboundCluster(cluster);
    const service = parseServiceHost(parsed?.host ?? "");
    if (parsed === undefined || service === undefined) continue;
    const id = `${service.name}.${service.namespace}`;
    if (known.has(id)) continue;
    const entry = ports.get(id) ?? { ...service, ports: new Set<number>() };
    ports.set(id, entry);
    entry.ports.add(parsed.port);
  }
  return [...ports.values()].map((one) => ({ ...one, ports: [...one.ports].map((port) => ({ port })) }));
}
