// What Keyway writes on the objects it makes, so that it finds them again and nobody else's.

export const FIELD_MANAGER = "keyway";
export const MANAGED_BY_LABEL = "app.kubernetes.io/managed-by";
/** Says which installation an object belongs to. Labels of `app.kubernetes.io` are for people, and GitOps tools rewrite them. */
export const INSTALLATION_LABEL = "keyway.dev/installation";
export const INSTANCE_LABEL = "app.kubernetes.io/instance";
export const MODE_ANNOTATION = "keyway.dev/mode";
/** Whether routed answers name their target; without it, as the place has it. */
export const SERVED_ANNOTATION = "keyway.dev/served";
/** "true" where shared caches may keep routed answers of a gateway. */
export const CACHEABLE_ANNOTATION = "keyway.dev/cacheable";
/** The spec that the present one replaced: JSON, gzip, base64. An annotation holds at most 256 KiB. */
export const PREVIOUS_ANNOTATION = "keyway.dev/previous";

/** The version stands in the VM's environment: the module does not read it, and a proxy's configuration dump shows it. */
export const VERSION_VARIABLE = "KEYWAY_VERSION";

export const GATEWAY_NAME_LABEL = "gateway.networking.k8s.io/gateway-name";
export const PROXY_CONTAINER = "istio-proxy";
export const DEFAULT_NAME = "keyway";
/** Where Istio is unless somebody says it; an installation there selects workloads of all namespaces. */
export const ISTIO_NAMESPACE = "istio-system";
/** Istiods below it drop the route's filter_state guard without a word. */
export const OLDEST_ISTIO = [1, 27] as const;
