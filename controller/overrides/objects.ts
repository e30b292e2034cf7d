// The objects of a cluster as far as versions of pods are concerned, and those that are made for them.
import { GROUP, MANAGED_BY, ROUTE_API, ROUTE_KIND, type RouteResource } from "../../routes/model/route-resource.ts";
import type { KubeObject, Meta } from "../../shared/cluster/object.ts";
import { shortName } from "../../shared/short-name.ts";

export const ISTIO_API = "networking.istio.io/v1";
/** On all that is made for a Service's versions: the Service. */
export const OVERRIDES_LABEL = `${GROUP}/overrides`;
/** On a Service: the version that requests without one go to. */
export const DEFAULT_ANNOTATION = `${GROUP}/overrides-default`;
export const VERSION_LABEL = "version";
export const USUAL_DEFAULT = "v1";

export interface ServiceObject extends KubeObject {
  spec?: { selector?: Record<string, string> | null; type?: string } | undefined;
}

/** A pod that is not about to end. */
export interface VersionedPod {
  labels: Readonly<Record<string, string>>;
  isReady: boolean;
}

export interface PodObject extends KubeObject {
  status?: { phase?: string; conditions?: { type: string; status: string }[] } | undefined;
}

export interface DestinationRule extends KubeObject {
  spec?: { host?: string; subsets?: Subset[] } | undefined;
}

export interface Subset {
  name: string;
  labels?: Record<string, string>;
}

export interface VirtualService extends KubeObject {
  spec?: { hosts?: string[]; gateways?: string[] } | undefined;
}

export function keptService({ metadata, spec }: ServiceObject): ServiceObject {
  const { name, namespace, uid, labels, annotations } = metadata ?? {};
  const byDefault = annotations?.[DEFAULT_ANNOTATION];
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      ...{ name, namespace, uid, labels },
      ...(byDefault !== undefined && { annotations: { [DEFAULT_ANNOTATION]: byDefault } }),
    },
    spec: { ...(spec?.selector && { selector: spec.selector }), ...(spec?.type && { type: spec.type }) },
  };
}

/** What an object says, without its status and what is said of it. */
export function kept<T extends KubeObject & { spec?: unknown }>({ apiVersion, kind, metadata, spec }: T): T {
  const { name, namespace, labels } = metadata ?? {};
  return { apiVersion, kind, metadata: { name, namespace, labels }, spec } as T;
}

/** Undefined for a pod that has ended, or is about to. */
export function versionedPod({ metadata, status }: PodObject): VersionedPod | undefined {
  const isEnding = (metadata as { deletionTimestamp?: string } | undefined)?.deletionTimestamp !== undefined;
  if (isEnding || status?.phase === "Succeeded" || status?.phase === "Failed") return undefined;
  const isReady = status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false;
  return { labels: metadata?.labels ?? {}, isReady };
}

/** Istio takes DNS labels for names of subsets, and a version may be `1.0` or `RC_2`. */
export function subsetName(version: string): string {
  return /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(version) ? version : shortName(version, version);
}

export function isOurs({ metadata }: KubeObject): boolean {
  return metadata?.labels?.[OVERRIDES_LABEL] !== undefined;
}

/** It goes with its Service. */
function metaFor({ metadata }: ServiceObject, name: string): Meta & { name: string; namespace: string } {
  const { name: service = "", namespace = "", uid } = metadata ?? {};
  return {
    name,
    namespace,
    labels: { [MANAGED_BY]: "keyway", [OVERRIDES_LABEL]: service.slice(0, 63) },
    ...(uid !== undefined && { ownerReferences: [{ apiVersion: "v1", kind: "Service", name: service, uid }] }),
  };
}

export function destinationRuleName(service: string): string {
  return `keyway-overrides-${service}`;
}

export function destinationRule(service: ServiceObject, subsets: readonly Subset[], domain: string): DestinationRule {
  const { name = "", namespace = "" } = service.metadata ?? {};
  return {
    apiVersion: ISTIO_API,
    kind: "DestinationRule",
    metadata: metaFor(service, destinationRuleName(name)),
    spec: { host: `${name}.${namespace}.svc.${domain}`, subsets: [...subsets] },
  };
}

/** Where a route that was made here leads. */
export function subsetOf({ spec: { to, split } }: RouteResource): string {
  const target = to ?? split?.[0]?.to;
  return (typeof target === "object" && "subset" in target && target.subset) || "";
}

/** The route of a version, or of requests without one. */
export function routeFor(service: ServiceObject, version: string | undefined, subset: string): RouteResource {
  const { name = "" } = service.metadata ?? {};
  const to = { service: name, subset };
  const own = version ?? "default";
  const identity = JSON.stringify(["overrides", name, version ?? null]);
  return {
    apiVersion: ROUTE_API,
    kind: ROUTE_KIND,
    metadata: metaFor(service, shortName(`overrides-${name}-${own}`, identity)),
    spec: version === undefined ? { service: name, split: [{ to, weight: 100 }] } : { service: name, key: version, to },
  } as RouteResource;
}
