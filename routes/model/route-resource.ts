// A route as a custom resource of Kubernetes, and back.
import { type FileEntry, fromFileEntry, toFileEntry } from "./file-entry.ts";
import { inOrder, type LiveRoute } from "./live-route.ts";
import type { ConditionedStatus } from "./status.ts";

export const GROUP = "keyway.dev";
export const VERSION = "v1alpha1";
export const ROUTE_API = `${GROUP}/${VERSION}`;
export const ROUTE_KIND = "Route";
export const OWNER_ANNOTATION = `${GROUP}/owner`;
export const MANAGED_BY = "app.kubernetes.io/managed-by";
/** On the ConfigMaps in which servers keep what other systems' clients have said. */
export const DOCUMENT_LABEL = `${GROUP}/document`;

export interface RouteResource {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace: string;
    labels: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec: Omit<FileEntry, "id" | "owner" | "labels">;
}

/** The status of a Route. */
export interface RouteResourceStatus extends ConditionedStatus {
  /** The revision of the table with which the route became what it is. */
  revision?: number;
}

/** Whether the id can be the name of a resource. */
export function isResourceName(id: string): boolean {
  return /^(?=.{1,253}$)[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(id);
}

/** The id has to be a resource's name. */
export function toResource(route: LiveRoute, namespace: string): RouteResource {
  const { id, owner, labels, ...spec } = toFileEntry(route);
  return {
    apiVersion: ROUTE_API,
    kind: ROUTE_KIND,
    metadata: {
      name: id ?? "",
      namespace,
      labels: { ...labels, [MANAGED_BY]: "keyway" },
      ...(owner !== undefined && { annotations: { [OWNER_ANNOTATION]: owner } }),
    },
    spec,
  };
}

interface AnyResource {
  metadata?:
    | {
        name?: string | undefined;
        labels?: Record<string, string> | undefined;
        annotations?: Record<string, string> | undefined;
      }
    | undefined;
  spec: RouteResource["spec"];
}

/** Whatever stands in the spec is taken over: nobody has checked it. */
export function fromResource({ metadata, spec }: AnyResource): LiveRoute {
  const { [MANAGED_BY]: _, ...labels } = metadata?.labels ?? {};
  const owner = metadata?.annotations?.[OWNER_ANNOTATION];
  return inOrder(
    fromFileEntry({
      ...spec,
      id: metadata?.name ?? "",
      ...(owner !== undefined && { owner }),
      ...(Object.keys(labels).length > 0 && { labels }),
    }),
  );
}
