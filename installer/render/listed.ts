// Services without a cluster: those that a route file names, or those in a file that `kubectl get` wrote.
import type { V1Service } from "@kubernetes/client-node";
import { namedServices } from "../../routes/compiling/named-services.ts";
import { ConfigurationError } from "../../routes/reading/diagnostic.ts";
import type { RouteFile } from "../../routes/reading/route-file.ts";
import { readYaml } from "../../routes/reading/yaml.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import type { Listed } from "../../shared/services/services.ts";

/** Every service that the route file names, with the ports that it names, whose pods listen where it is called. */
export function servicesNamedIn(file: RouteFile, usual: string): Listed {
  const ports = new Map<string, Set<number>>();
  for (const { name, namespace = usual, port } of namedServices(file).filter(({ isHost }) => !isHost)) {
    const service = `${namespace}/${name}`;
    const known = ports.get(service) ?? new Set();
    ports.set(service, typeof port === "number" ? known.add(port) : known);
  }
  const services = [...ports].map(([service, numbers]): V1Service => {
    const [namespace = "", name = ""] = service.split("/");
    return { kind: "Service", metadata: { namespace, name }, spec: { ports: [...numbers].map((port) => ({ port })) } };
  });
  return listing(services);
}

/** The objects that `kubectl get services,pods -o yaml` (or json) wrote; throws a ConfigurationError for anything else. */
export function fromKubectl(text: string): Listed {
  const { value } = readYaml(text);
  const items = typeof value === "object" && value !== null && "items" in value ? value.items : undefined;
  if (Array.isArray(items)) return listing(items);
  throw new ConfigurationError([
    {
      path: [],
      message: "no list of objects; `kubectl get services,pods -o yaml` writes one",
      at: { line: 1, col: 1 },
    },
  ]);
}

function listing(objects: KubeObject[]): Listed {
  return {
    list: async <T extends KubeObject>(_: string, kind: string, { namespace }: { namespace?: string } = {}) =>
      objects.filter(
        (one) => one.kind === kind && (namespace === undefined || one.metadata?.namespace === namespace),
      ) as T[],
  };
}
