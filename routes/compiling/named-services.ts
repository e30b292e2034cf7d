import type { Reference } from "../model/model.ts";
import { parseHostName, parseServiceName, type ServiceName } from "../model/service.ts";
import { targetsOf } from "../model/targets.ts";
import type { RouteFile } from "../reading/route-file.ts";

/** A service as a route file names it, with the port that it gets from there or from its baseline. For a host that can't be
 * a service of the cluster `name` is all of it, and `isHost` is true. */
export interface NamedService extends ServiceName {
  text: string;
  role: "baseline" | "target";
  isHost?: true;
}

/** All services that a route file names, in its order. */
export function namedServices({ routes }: RouteFile): NamedService[] {
  return routes.flatMap((route) => {
    const baseline = namedService(route.from, "baseline");
    return [baseline, ...targetsOf(route).map((to) => namedService(to, "target", baseline))].filter(
      (service) => service !== undefined,
    );
  });
}

function namedService(
  reference: Reference,
  role: NamedService["role"],
  baseline?: NamedService,
): NamedService | undefined {
  if (typeof reference === "object" && "cluster" in reference) return undefined;
  const text = typeof reference === "string" ? reference : reference.service;
  const name = parseServiceName(text) ?? asHost(text);
  if (!name) return undefined;
  const { port = baseline?.port, namespace = baseline?.namespace } = name;
  return { ...name, ...(port !== undefined && { port }), ...(namespace !== undefined && { namespace }), text, role };
}

function asHost(text: string): (ServiceName & { isHost: true }) | undefined {
  const parsed = parseHostName(text);
  if (!parsed) return undefined;
  const { host, port } = parsed;
  return { name: host, ...(port !== undefined && { port }), isHost: true };
}
