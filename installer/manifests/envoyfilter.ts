import { GUARD } from "../../routes/model/guard.ts";
import { HEADER_CLUSTER, PLUGIN_NAME } from "../../routes/model/names.ts";
import type { IEnvoyFilter } from "../cluster/object.ts";
import { annotatedMode, type Installation, type Scope } from "./installation.ts";
import { gatewayRef, ownedMetadata } from "./wasmplugin.ts";

/** What a WasmPlugin for servers and one for clients reach: the filter must stand nowhere without its route. */
const contexts = {
  inbound: ["SIDECAR_INBOUND"],
  outbound: ["SIDECAR_OUTBOUND", "GATEWAY"],
  gateway: ["SIDECAR_OUTBOUND", "GATEWAY"],
} as const;

/** The route that takes what the filter selected, and nothing that a client could forge. */
export function envoyFilter(installation: Pick<Installation, "name" | "namespace" | "mode" | "scope">): IEnvoyFilter {
  return {
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "EnvoyFilter",
    metadata: ownedMetadata(installation),
    spec: {
      ...scopeFields(installation.scope),
      configPatches: contexts[installation.mode].map((context) => ({
        applyTo: "HTTP_ROUTE",
        match: { context },
        patch: { operation: "INSERT_FIRST", value: guardedRoute(installation) },
      })),
    },
  };
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
function guardedRoute({ name, namespace, mode }: Pick<Installation, "name" | "namespace" | "mode">) {
  return {
    name: routeName(namespace, name),
    match: GUARD,
    route: {
      cluster_header: HEADER_CLUSTER,
      timeout: "0s",
      max_stream_duration: { max_stream_duration: "0s", grpc_timeout_header_max: "0s" },
      ...(mode === "inbound" ? {} : { retry_policy: istioDefaultRetry }),
    },
    request_headers_to_remove: [HEADER_CLUSTER],
  };
}

/** Tells the routes of several installations on one proxy apart. */
export function routeName(namespace: string, name: string): string {
  return `${PLUGIN_NAME}.${namespace}.${name}`;
}

const istioDefaultRetry = {
  retry_on: "connect-failure,refused-stream,unavailable,cancelled",
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
