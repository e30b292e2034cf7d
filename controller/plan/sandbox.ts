import { isDeepStrictEqual } from "node:util";
import type { LiveRoute } from "../../routes/model/live-route.ts";
import {
  BASELINE_ANNOTATION,
  SANDBOX_KIND,
  SANDBOX_LABEL,
  type SandboxResource,
  sandboxName,
  WORKLOAD_ANNOTATION,
} from "../../routes/model/sandbox.ts";
import type { Diagnostic } from "../../routes/reading/diagnostic.ts";
import { overlap, type Place, placeOf } from "../../routes/reading/place.ts";
import { type ReadSandbox, readSandbox } from "../../routes/reading/sandbox.ts";

/** The Service of a copy, as far as it tells of a fork. */
export interface ForkService {
  metadata?: {
    name?: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    deletionTimestamp?: Date | string;
    ownerReferences?: readonly { kind: string; uid: string }[];
  };
}

/** What the Service of a copy says. */
export interface Fork {
  /** The Sandbox's `NAMESPACE/NAME`. */
  sandbox: string;
  namespace: string;
  service: string;
  baseline: string;
  /** As the Sandbox's spec names it; unknown where the Service doesn't say it. */
  workload?: string;
  /** Uids of the Sandboxes that own the Service. */
  owners: readonly string[];
}

/** A route that a Sandbox brings itself: without key, id and the like. */
export interface OwnRoute {
  place: Place;
  route: Omit<LiveRoute, "id">;
  /** `spec` or `fork WORKLOAD`. */
  from: string;
}

/** A Sandbox as the table keeps it. */
export interface Sandbox {
  /** `NAMESPACE/NAME`. */
  name: string;
  namespace: string;
  shortName: string;
  uid: string | undefined;
  /** Counts the changes of its spec; unknown where nobody counts. */
  generation: number | undefined;
  /** RFC 3339, so that the order of texts is that of times. */
  created: string;
  labels: Readonly<Record<string, string>>;
  /** Being deleted: it has no routes any more, and no key. */
  isLeaving: boolean;
  /** Its spec, or what is wrong with that. */
  read: ReadSandbox | Diagnostic[];
}

export function toSandbox(resource: SandboxResource): Sandbox {
  const { metadata } = resource;
  const { name, namespace, uid, generation, creationTimestamp = "", deletionTimestamp, labels = {} } = metadata;
  return {
    name: sandboxName(metadata),
    namespace,
    shortName: name,
    uid,
    generation,
    created: creationTimestamp,
    labels,
    isLeaving: deletionTimestamp !== undefined,
    read: readSandbox(resource),
  };
}

/** Whether the resource says what it said before: only its status, its annotations or its finalizers may be others. */
export function saysTheSame({ metadata }: SandboxResource, before: Sandbox): boolean {
  const { uid, generation, deletionTimestamp, labels = {} } = metadata;
  return (
    generation !== undefined &&
    generation === before.generation &&
    uid === before.uid &&
    (deletionTimestamp !== undefined) === before.isLeaving &&
    isDeepStrictEqual(labels, before.labels)
  );
}

/** What it says while it is there to say something. */
export function specOf({ read, isLeaving }: Sandbox): ReadSandbox | undefined {
  return isLeaving || Array.isArray(read) ? undefined : read;
}

/** The older one first. */
export function byAge(a: Sandbox, b: Sandbox): number {
  if (a.created !== b.created) return a.created < b.created ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Undefined for a Service that is no fork's, or about to go. */
export function toFork({ metadata = {} }: ForkService): Fork | undefined {
  const { name = "", namespace = "", labels, annotations, ownerReferences = [], deletionTimestamp } = metadata;
  const sandbox = labels?.[SANDBOX_LABEL];
  const baseline = annotations?.[BASELINE_ANNOTATION];
  if (sandbox === undefined || baseline === undefined || deletionTimestamp !== undefined) return undefined;
  const workload = annotations?.[WORKLOAD_ANNOTATION];
  return {
    sandbox: sandboxName({ namespace, name: sandbox }),
    namespace,
    service: name,
    baseline,
    ...(workload !== undefined && { workload }),
    owners: ownerReferences.filter(({ kind }) => kind === SANDBOX_KIND).map(({ uid }) => uid),
  };
}

/**
 * The routes of the spec, in its order, then those of the forks, by the baseline's name. A route of the spec wins over a fork's. The Service
 * of a fork that the spec does not have any more, or of an earlier Sandbox of that name, makes no route.
 */
export function ownRoutes(sandbox: Sandbox, forks: Iterable<Fork>): OwnRoute[] {
  const spec = specOf(sandbox);
  if (spec === undefined) return [];
  const own: OwnRoute[] = spec.routes.map((route) => ({ place: placeOf(route), route, from: "spec" }));
  const workloads = new Set(spec.forks.map(({ workload }) => workload));
  const wanted = [...forks].filter(({ workload, owners }) => {
    const isInSpec = workload === undefined ? workloads.size > 0 : workloads.has(workload);
    return isInSpec && owners.some((uid) => uid === sandbox.uid);
  });
  for (const fork of wanted.sort((a, b) => compare(a.baseline, b.baseline) || compare(a.service, b.service))) {
    const { namespace } = fork;
    const route = { service: `${fork.baseline}.${namespace}`, to: `${fork.service}.${namespace}` };
    const place = placeOf(route);
    if (own.some((other) => overlap(place, other.place))) continue;
    own.push({ place, route, from: `fork ${fork.workload ?? fork.service}` });
  }
  return own;
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
