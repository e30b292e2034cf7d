import type { Condition, Reference } from "../model/model.ts";
import { parseServiceName, type ServiceName } from "../model/service.ts";
import { conditionIdentity } from "./duplicates.ts";

/** Which requests of a key a route is for, as far as names can tell. */
export interface Place {
  /** The baseline without namespace and port. */
  readonly name: string;
  readonly namespace?: string;
  readonly port?: number | string;
  readonly conditions: string;
}

interface Placed {
  service?: Reference;
  from?: string;
  when?: Condition[];
}

export function placeOf({ service, from, when = [] }: Placed): Place {
  const conditions = when.length === 0 ? "" : JSON.stringify(when.map(conditionIdentity));
  const cluster = from ?? (typeof service === "object" && "cluster" in service ? service.cluster : undefined);
  // No service has a name with a blank or a bar in it.
  if (cluster !== undefined) return { name: `cluster ${cluster}`, conditions };
  const { text, subset } = textOf(service);
  const { name, namespace, port }: ServiceName = parseServiceName(text) ?? { name: text };
  return {
    name: subset === undefined ? name : `${name}|${subset}`,
    ...(namespace !== undefined && { namespace }),
    ...(port !== undefined && { port }),
    conditions,
  };
}

function textOf(service: Reference = ""): { text: string; subset?: string } {
  if (typeof service === "string") return { text: service };
  return "service" in service
    ? { text: service.service, ...(service.subset !== undefined && { subset: service.subset }) }
    : { text: service.cluster };
}

/** Whether there may be a request that both routes are for: what one of them leaves open is any. Conditions are the same or others; what they
 * mean is not looked at. */
export function overlap(a: Place, b: Place): boolean {
  return isSameService(a, b) && agree(a.port, b.port) && a.conditions === b.conditions;
}

export function isSameService(a: Place, b: Place): boolean {
  return a.name === b.name && agree(a.namespace, b.namespace);
}

function agree(a: unknown, b: unknown): boolean {
  return a === undefined || b === undefined || a === b;
}
