// What the versions of the pods that a Service selects come to: subsets, and a route for each.
import type { RouteResource } from "../../routes/model/route-resource.ts";
import { SANDBOX_LABEL } from "../../routes/model/sandbox.ts";
import { parseServiceName } from "../../routes/model/service.ts";
import {
  DEFAULT_ANNOTATION,
  type DestinationRule,
  isOurs,
  routeFor,
  type ServiceObject,
  type Subset,
  subsetName,
  USUAL_DEFAULT,
  VERSION_LABEL,
  type VersionedPod,
  type VirtualService,
} from "./objects.ts";

/** A namespace, as far as its Services' versions are concerned. */
export interface Around {
  pods: Iterable<VersionedPod>;
  destinationRules: Iterable<DestinationRule>;
  virtualServices: Iterable<VirtualService>;
  routes: Iterable<RouteResource>;
  /** The DNS domain of the mesh. */
  domain: string;
}

export interface Wanted {
  /** Of a DestinationRule of Keyway's own; none where it is not to be. */
  subsets: Subset[];
  routes: RouteResource[];
  /** What keeps some of it from being, for the people whose Service it is. */
  told: string[];
}

export function wantedFor(service: ServiceObject, around: Around): Wanted {
  const { all: versions, ready } = versionsOf(service, around.pods);
  const told: string[] = [];
  if (versions.length === 0) return { subsets: [], routes: [], told };
  const { name = "", namespace = "", annotations } = service.metadata ?? {};
  const covers = (host: string) => isHostOf(host, { name, namespace, domain: around.domain });

  const theirs = [...around.destinationRules].filter((one) => !isOurs(one) && covers(one.spec?.host ?? ""));
  const [rule] = theirs.sort((a, b) => (`${a.metadata?.name}` < `${b.metadata?.name}` ? -1 : 1));
  const subsets = rule ? subsetsOf(rule) : new Map(versions.map((version) => [version, subsetName(version)]));
  const routed = versions.filter((version) => subsets.has(version));
  const missing = versions.filter((version) => !subsets.has(version));
  if (missing.length > 0) {
    told.push(
      `the DestinationRule ${rule?.metadata?.name} is somebody else's and has no subset of the labels ` +
        `{${VERSION_LABEL}: ${missing.join(" or ")}} alone, so no route leads there`,
    );
  }
  const rivals = [...around.routes].filter((one) => !isOurs(one) && namesService(one, name, namespace));
  const routes = routed.flatMap((version) => {
    if (!ready.has(version)) return [];
    const rival = rivals.find(({ spec: { key, when } }) => key === version && when === undefined);
    if (rival === undefined) return [routeFor(service, version, subsets.get(version) ?? "")];
    told.push(`the Route ${rival.metadata.name} leads ${name} elsewhere for ${version}, and goes before`);
    return [];
  });

  const wanted = annotations?.[DEFAULT_ANNOTATION] ?? USUAL_DEFAULT;
  const rest = subsets.get(wanted);
  const split = rivals.find(({ spec }) => spec.split !== undefined && spec.when === undefined);
  const virtual = [...around.virtualServices].find((one) => isOfMesh(one) && one.spec?.hosts?.some(covers));
  if (virtual) {
    told.push(
      `the VirtualService ${virtual.metadata?.name} says where requests without a version go, and goes on doing so`,
    );
  } else if (split) {
    told.push(`the Route ${split.metadata.name} says where requests without a version go, and goes on doing so`);
  } else if (rest !== undefined && routed.includes(wanted) && !ready.has(wanted)) {
    told.push(`no pod of the version ${wanted} is ready, so requests without one go to pods of all versions meanwhile`);
  } else if (rest === undefined || !routed.includes(wanted)) {
    told.push(
      `no pod has the version ${wanted}, so requests without one go to pods of all versions; ` +
        `the annotation ${DEFAULT_ANNOTATION} names another`,
    );
  } else routes.push(routeFor(service, undefined, rest));

  const own = rule
    ? []
    : routed.map((version) => ({ name: subsetName(version), labels: { [VERSION_LABEL]: version } }));
  return { subsets: own, routes, told };
}

interface Versions {
  /** In order. */
  all: string[];
  /** Those of which a pod takes requests. */
  ready: ReadonlySet<string>;
}

/** Services that select nothing have none, and the copies of Sandboxes have routes of their own. */
function versionsOf({ metadata, spec }: ServiceObject, pods: Iterable<VersionedPod>): Versions {
  const selector = Object.entries(spec?.selector ?? {});
  const all = new Set<string>();
  const ready = new Set<string>();
  if (selector.length === 0 || spec?.type === "ExternalName" || metadata?.labels?.[SANDBOX_LABEL])
    return { all: [], ready };
  for (const { labels, isReady } of pods) {
    const version = labels[VERSION_LABEL];
    if (!version || !selector.every(([label, value]) => labels[label] === value)) continue;
    all.add(version);
    if (isReady) ready.add(version);
  }
  return { all: [...all].sort(), ready };
}

/** The subsets that stand for one version each, by the version. */
function subsetsOf({ spec }: DestinationRule): Map<string, string> {
  const single = (spec?.subsets ?? []).flatMap(({ name, labels = {} }): [string, string][] => {
    const version = labels[VERSION_LABEL];
    return version !== undefined && Object.keys(labels).length === 1 ? [[version, name]] : [];
  });
  return new Map(single.reverse());
}

interface Host {
  name: string;
  namespace: string;
  domain: string;
}

/** Whether a host, as an object of the Service's namespace names it, is the Service's or covers it. */
function isHostOf(host: string, { name, namespace, domain }: Host): boolean {
  const full = `${name}.${namespace}.svc.${domain}`;
  if (host.startsWith("*")) return full.endsWith(host.slice(1));
  return host === name || host === full;
}

const isOfMesh = ({ spec }: VirtualService) => (spec?.gateways ?? ["mesh"]).includes("mesh");

function namesService({ spec: { service } }: RouteResource, name: string, namespace: string): boolean {
  const text = typeof service === "object" ? ("service" in service && !service.subset ? service.service : "") : service;
  const parsed = parseServiceName(text ?? "");
  return parsed?.name === name && (parsed.namespace ?? namespace) === namespace;
}
