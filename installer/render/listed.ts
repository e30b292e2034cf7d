// Services without a cluster: those that a route file names, or those in a file that `kubectl get` wrote.
import type { V1Service } from "@kubernetes/client-node";
import { type NamedService, namedServices } from "../../routes/compiling/named-services.ts";
import { parseServiceName } from "../../routes/model/service.ts";
import { ConfigurationError, type Diagnostic, type Path } from "../../routes/reading/diagnostic.ts";
import type { RouteFile } from "../../routes/reading/route-file.ts";
import { readYaml } from "../../routes/reading/yaml.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import type { Listed } from "../../shared/services/services.ts";

/**
 * Every service that the route file names, with the ports that it names, whose pods listen where it is called. A target without a port
 * of its own has those of its baseline, whichever route names them. Throws a ConfigurationError for a port that only a cluster could tell.
 */
export function servicesNamedIn(file: RouteFile, usual: string): Listed {
  const ports = new Map<string, Set<number>>();
  /** By the ports of a baseline those of its targets without a port of their own. */
  const dependents = new Map<Set<number>, Set<Set<number>>>();
  const portsOf = ({ name, namespace = usual }: NamedService) => {
    const key = `${namespace}/${name}`;
    const known = ports.get(key) ?? new Set();
    ports.set(key, known);
    return known;
  };
  const routes = file.routes.map((route) =>
    namedServices({ ...file, routes: [route] }).filter(({ isHost }) => !isHost),
  );
  const unknown = routes.flatMap((all, index) => all.flatMap((one) => namedPort(one, index)));
  if (unknown.length > 0) throw new ConfigurationError(file.locate(unknown));
  for (const [baseline, ...targets] of routes) {
    if (baseline?.role !== "baseline") continue;
    const known = portsOf(baseline);
    const own = dependents.get(known) ?? new Set();
    dependents.set(known, own);
    for (const target of targets) if (target.port === undefined) own.add(portsOf(target));
  }
  const add = (known: Set<number>, port: number) => {
    if (known.has(port)) return;
    known.add(port);
    for (const dependent of dependents.get(known) ?? []) add(dependent, port);
  };
  for (const one of routes.flat()) {
    const known = portsOf(one);
    if (typeof one.port === "number") add(known, one.port);
  }
  const services = [...ports].map(([service, numbers]): V1Service => {
    const [namespace = "", name = ""] = service.split("/");
    return { kind: "Service", metadata: { namespace, name }, spec: { ports: [...numbers].map((port) => ({ port })) } };
  });
  return listing(services);
}

/** Says of a port with a name that nobody is there to tell its number. */
function namedPort({ text, name, role }: NamedService, index: number): Diagnostic[] {
  const port = parseServiceName(text)?.port;
  if (typeof port !== "string") return [];
  const path: Path = ["routes", index, ...(role === "baseline" ? ["service"] : [])];
  return [
    { path, message: `which number is port ${port} of ${name}? Without a cluster nobody knows; write the number` },
  ];
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
