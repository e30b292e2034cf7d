import { parseServiceName, type ServiceName } from "../model/service.ts";
import { targetsOf } from "../model/targets.ts";
import type { Reference, RouteFile } from "../reading/route-file.ts";

/** A service as a route file names it, with the port that it gets from there or from its baseline. */
export interface NamedService extends ServiceName {
  text: string;
  role: "baseline" | "target";
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
  const name = parseServiceName(text);
  if (!name) return undefined;
  const { port = baseline?.port, namespace = baseline?.namespace } = name;
  return { ...name, ...(port !== undefined && { port }), ...(namespace !== undefined && { namespace }), text, role };
}
