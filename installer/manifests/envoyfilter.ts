import { type Edge, removesTraces } from "../../routes/model/edge.ts";
import { CONNECT_GUARD, GUARD } from "../../routes/model/guard.ts";
import { hasLinks } from "../../routes/model/links.ts";
import type { Configuration } from "../../routes/model/model.ts";
import { HEADER_CLUSTER, PLUGIN_NAME } from "../../routes/model/names.ts";
import { EARLY_EXTENSIONS, traceIdRemoval } from "../render/trace-ids.ts";
import { hopMark, type Proof, proofFor, proofHeaders } from "../twins/headers.ts";
import { annotatedMode, type Context, type Installation, type Mode, type Scope } from "./installation.ts";
import type { IEnvoyFilter } from "./kinds.ts";
import type { TwinPatch } from "./twin-patches.ts";
import { gatewayRef, ownedMetadata } from "./wasmplugin.ts";
import { managerPatch, watcherPatch } from "./watcher.ts";

/** What WasmPlugins for servers, for clients and for both reach: the filter must stand nowhere without its route. */
const contexts = {
  inbound: ["SIDECAR_INBOUND"],
  outbound: ["SIDECAR_OUTBOUND", "GATEWAY"],
  both: ["SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY"],
  gateway: ["SIDECAR_OUTBOUND", "GATEWAY"],
} satisfies Record<Mode, Context[]>;

type Described = Pick<Installation, "name" | "namespace" | "mode" | "scope"> & Answering;
type Answering = Pick<Installation, "config" | "served" | "cacheable">;

export interface Extras {
  /** As base64. */
  watcher?: string | undefined;
  /** Of the proxies' own routes, where they were asked for them. */
  twins?: readonly TwinPatch[] | undefined;
}

/**
 * What stands around the filter in each proxy: the routes that take what it selected, and nothing that a client could forge; the
 * removal of the selection header from every request, whichever route took it; and the watcher. Each route is inserted at the front, so
 * the twins stand above the guards. Where twins are known, a gateway has no guard: a route that came after them may have a policy, which a
 * guard would not keep, so its requests go to the baseline until it has its twin.
 */
export function envoyFilter(installation: Described, { watcher, twins }: Extras = {}): IEnvoyFilter {
  const guardsIn = (context: Context) =>
    context === "GATEWAY" && twins !== undefined ? [] : guardRoutes(installation, context);
  return {
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "EnvoyFilter",
    metadata: ownedMetadata(installation),
    spec: {
      ...scopeFields(installation.scope),
      configPatches: [
        ...contexts[installation.mode].flatMap((context) => [
          ...guardsIn(context).map((value) => ({
            applyTo: "HTTP_ROUTE" as const,
            match: { context },
            patch: { operation: "INSERT_FIRST" as const, value },
          })),
          {
            applyTo: "ROUTE_CONFIGURATION" as const,
            match: { context },
            patch: { operation: "MERGE" as const, value: { request_headers_to_remove: [HEADER_CLUSTER] } },
          },
          ...(watcher === undefined ? [] : [watcherPatch(context, watcher)]),
          ...(takesTraceIdsOff(installation, context) ? [traceIdsPatch(context)] : []),
        ]),
        ...(twins ?? []),
      ],
    },
  };
}

/** Only at gateways: what comes to a sidecar from inside belongs to traces of our own. */
function takesTraceIdsOff({ config }: Described, context: Context): boolean {
  return context === "GATEWAY" && removesTraces(config.edge as Edge | undefined);
}

function traceIdsPatch(context: Context) {
  return managerPatch(context, { [EARLY_EXTENSIONS]: [traceIdRemoval()] });
}

/** What an EnvoyFilter made by Keyway tells of its installation. */
export function readFilter(filter: IEnvoyFilter): Pick<Installation, "name" | "namespace" | "mode" | "scope"> {
  const { metadata, spec } = filter;
  const gateway = spec?.targetRefs?.[0]?.name;
  const scope = gateway === undefined ? { labels: spec?.workloadSelector?.labels ?? {} } : { gateway };
  const { name = "", namespace = "" } = metadata ?? {};
  return { name, namespace, mode: annotatedMode(filter) ?? "inbound", scope };
}

/** An inserted route inherits nothing from the one it stands before, so it says what Istio says on its own routes. */
function guardRoutes(installation: Described, context: Context) {
  const answer = proofHeaders(proofOf(installation, context));
  return [CONNECT_GUARD, GUARD].map((match) => ({
    name: routeName(installation.namespace, installation.name),
    match,
    route: {
      cluster_header: HEADER_CLUSTER,
      timeout: "0s",
      max_stream_duration: { max_stream_duration: "0s", grpc_timeout_header_max: "0s" },
      retry_policy: istioDefaultRetry,
    },
    request_headers_to_add: [hopMark()],
    ...(answer.length > 0 && { response_headers_to_add: answer }),
  }));
}

/** What a routed answer says of itself: a person's word, or else what suits the place. */
export function proofOf({ config, served, cacheable }: Answering, context: Context): Proof {
  const usual = proofFor(context === "GATEWAY" ? "edge" : "inside");
  const links = hasLinks(config as Pick<Configuration, "link">);
  return { served: served ?? usual.served, noStore: usual.noStore && cacheable !== true, links };
}

/** Tells the routes of several installations on one proxy apart. */
export function routeName(namespace: string, name: string): string {
  return `${PLUGIN_NAME}.${namespace}.${name}`;
}

/** Istio's own default, which an inserted route does not get from it. */
const istioDefaultRetry = {
  retry_on: "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes",
  num_retries: 2,
  retry_host_predicate: [
    {
      name: "envoy.retry_host_predicates.previous_hosts",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
      },
    },
  ],
  host_selection_retry_max_attempts: 5,
};

function scopeFields(scope: Scope): Pick<NonNullable<IEnvoyFilter["spec"]>, "workloadSelector" | "targetRefs"> {
  if ("gateway" in scope) return { targetRefs: [gatewayRef(scope.gateway)] };
  return Object.keys(scope.labels).length === 0 ? {} : { workloadSelector: { labels: scope.labels } };
}
