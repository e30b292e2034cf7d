import { HEADER_CLUSTER, PLUGIN_NAME, STATE_KEY, STATE_ROUTED } from "../../routes/names.ts";
import type { Installation, Mode, Scope } from "./installation.ts";
import type { IEnvoyFilter } from "./object.ts";
import { gatewayRef, ownedMetadata } from "./wasmplugin.ts";

const context = { inbound: "SIDECAR_INBOUND", outbound: "SIDECAR_OUTBOUND", gateway: "GATEWAY" } as const;

/** The route that takes what the filter selected, and nothing that a client could forge. */
export function envoyFilter(installation: Pick<Installation, "name" | "namespace" | "mode" | "scope">): IEnvoyFilter {
  return {
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "EnvoyFilter",
    metadata: ownedMetadata(installation),
    spec: {
      ...scopeFields(installation.scope),
      configPatches: [
        {
          applyTo: "HTTP_ROUTE",
          match: { context: context[installation.mode] },
          patch: { operation: "INSERT_FIRST", value: guardedRoute(installation.mode) },
        },
      ],
    },
  };
}

/** An inserted route inherits nothing from the one it stands before, so it says what Istio says on its own routes. */
export function guardedRoute(mode: Mode) {
  return {
    name: PLUGIN_NAME,
    match: {
      prefix: "/",
      headers: [{ name: HEADER_CLUSTER, present_match: true }],
      filter_state: [{ key: STATE_KEY, string_match: { prefix: STATE_ROUTED } }],
    },
    route: {
      cluster_header: HEADER_CLUSTER,
      timeout: "0s",
      max_stream_duration: { max_stream_duration: "0s", grpc_timeout_header_max: "0s" },
      ...(mode === "inbound" ? {} : { retry_policy: istioDefaultRetry }),
    },
    request_headers_to_remove: [HEADER_CLUSTER],
  };
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
