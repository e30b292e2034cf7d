// Services that are named without a namespace are those of the namespace in which the route stands.
import type { Reference, Share } from "./model.ts";
import { ANY_BASELINE } from "./names.ts";
import { parseServiceName } from "./service.ts";

interface Names {
  service?: Reference;
  to?: Reference;
  split?: Share<Reference>[];
}

/** The same route with a namespace in each of its services: the baseline gets `home`, and a target the baseline's, as in a route file. */
export function qualified<Route extends Names>(route: Route, home: string): Route {
  const { service, to, split } = route;
  const namespace = namespaceOf(service) ?? home;
  return {
    ...route,
    ...(service !== undefined && { service: inNamespace(service, home) }),
    ...(to !== undefined && { to: inNamespace(to, namespace) }),
    ...(split && { split: split.map((share) => ({ ...share, to: inNamespace(share.to, namespace) })) }),
  };
}

/** The service that a reference names, with its port; undefined for a cluster. */
export function serviceText(reference: Reference | undefined): string | undefined {
  if (typeof reference !== "object") return reference;
  return "service" in reference ? reference.service : undefined;
}

function namespaceOf(reference: Reference | undefined): string | undefined {
  return parseServiceName(serviceText(reference) ?? "")?.namespace;
}

function inNamespace(reference: Reference, namespace: string): Reference {
  if (typeof reference !== "object") return withNamespace(reference, namespace);
  return "service" in reference ? { ...reference, service: withNamespace(reference.service, namespace) } : reference;
}

function withNamespace(text: string, namespace: string): string {
  if (text === ANY_BASELINE) return text;
  const name = parseServiceName(text);
  if (name === undefined || name.namespace !== undefined) return text;
  return `${name.name}.${namespace}${name.port === undefined ? "" : `:${name.port}`}`;
}
