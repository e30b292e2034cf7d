import type { StoredRoute } from "../../routes/model/live-route.ts";
import type { Reference } from "../../routes/model/model.ts";

/** What routes are looked for by; all of it must hold. */
export interface Filter {
  /** As in a route file. Without a port, with any; without a namespace, only those that have none. */
  service?: string;
  from?: string;
  key?: string;
  owner?: string;
  /** `NAME=VALUE`, or a label's name alone. */
  labels?: readonly string[];
}

/** The service without its port. */
export function serviceOf({ service }: { service?: Reference }): string | undefined {
  const text = typeof service === "object" ? ("service" in service ? service.service : undefined) : service;
  return text?.replace(/:[^:]*$/, "");
}

/** The cluster that a route is from by name. */
export function clusterOf({ service, from }: { service?: Reference; from?: string }): string | undefined {
  return typeof service === "object" && "cluster" in service ? service.cluster : from;
}

/** `NAME` and `NAME=VALUE` of each label. */
export function labelsOf({ labels = {} }: Pick<StoredRoute, "labels">): string[] {
  return Object.entries(labels).flatMap(([name, value]) => [name, `${name}=${value}`]);
}

export function fits(route: StoredRoute, { service, from, key, owner, labels }: Filter): boolean {
  return (
    (service === undefined || isOfService(route, service)) &&
    (from === undefined || clusterOf(route) === from) &&
    (key === undefined || route.key === key) &&
    (owner === undefined || route.owner === owner) &&
    (labels === undefined || labels.every((label) => labelsOf(route).includes(label)))
  );
}

function isOfService({ service }: StoredRoute, wanted: string): boolean {
  if (!wanted.includes(":")) return serviceOf({ ...(service !== undefined && { service }) }) === wanted;
  return (typeof service === "object" && "service" in service ? service.service : service) === wanted;
}
