import { parseServiceName, type ServiceName } from "../model/service.ts";
import type { Reference, RouteFile } from "../reading/route-file.ts";

/** A service as a route file names it, with the port that it gets from there or from its baseline. */
export interface Written extends ServiceName {
  text: string;
  role: "baseline" | "target";
}

/** All services that a route file names, in its order. */
export function writtenServices({ routes }: RouteFile): Written[] {
  return routes.flatMap((route) => {
    const baseline = written(route.from, "baseline");
    const targets = "split" in route ? route.split.map(({ to }) => to) : [route.to];
    return [baseline, ...targets.map((to) => written(to, "target", baseline))].filter(
      (service) => service !== undefined,
    );
  });
}

function written(reference: Reference, role: Written["role"], baseline?: Written): Written | undefined {
  if (typeof reference === "object" && "cluster" in reference) return undefined;
  const text = typeof reference === "string" ? reference : reference.service;
  const name = parseServiceName(text);
  if (!name) return undefined;
  const { port = baseline?.port, namespace = baseline?.namespace } = name;
  return { ...name, ...(port !== undefined && { port }), ...(namespace !== undefined && { namespace }), text, role };
}
