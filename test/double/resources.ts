/** A kind that the double serves. */
export interface Resource {
  group: string;
  version: string;
  kind: string;
  plural: string;
  namespaced: boolean;
}

function resource(apiVersion: string, kind: string, plural: string, namespaced = true): Resource {
  const [version = "", group = ""] = apiVersion.split("/").reverse();
  return { group, version, kind, plural, namespaced };
}

export const resources: readonly Resource[] = [
  resource("v1", "Namespace", "namespaces", false),
  resource("v1", "Pod", "pods"),
  resource("v1", "Service", "services"),
  resource("v1", "ConfigMap", "configmaps"),
  resource("v1", "Secret", "secrets"),
  resource("v1", "ServiceAccount", "serviceaccounts"),
  resource("apps/v1", "Deployment", "deployments"),
  resource("apps/v1", "StatefulSet", "statefulsets"),
  resource("argoproj.io/v1alpha1", "Rollout", "rollouts"),
  resource("apps/v1", "StatefulSet", "statefulsets"),
  resource("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
  resource("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
  resource("rbac.authorization.k8s.io/v1", "Role", "roles"),
  resource("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"),
  resource("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false),
  resource("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", false),
  resource("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false),
  resource("coordination.k8s.io/v1", "Lease", "leases"),
  resource("events.k8s.io/v1", "Event", "events"),
  resource("discovery.k8s.io/v1", "EndpointSlice", "endpointslices"),
  resource("gateway.networking.k8s.io/v1", "Gateway", "gateways"),
  resource("extensions.istio.io/v1alpha1", "WasmPlugin", "wasmplugins"),
  resource("networking.istio.io/v1alpha3", "EnvoyFilter", "envoyfilters"),
  resource("networking.istio.io/v1", "DestinationRule", "destinationrules"),
  resource("networking.istio.io/v1", "ServiceEntry", "serviceentries"),
  resource("networking.istio.io/v1", "VirtualService", "virtualservices"),
  resource("networking.istio.io/v1", "Sidecar", "sidecars"),
  resource("keyway.dev/v1alpha1", "Route", "routes"),
  resource("keyway.dev/v1alpha1", "Sandbox", "sandboxes"),
  resource("security.istio.io/v1", "AuthorizationPolicy", "authorizationpolicies"),
  resource("security.istio.io/v1", "RequestAuthentication", "requestauthentications"),
];

export function apiVersionOf({ group, version }: Resource): string {
  return group === "" ? version : `${group}/${version}`;
}

/** `wasmplugins.extensions.istio.io "keyway"`, as the API's messages name an object. */
export function nameInMessages({ group, plural }: Resource, name: string): string {
  return `${plural}${group && `.${group}`} "${name}"`;
}

/** What `GET /api/v1` and `GET /apis/GROUP/VERSION` answer; undefined when the double has nothing of it. */
export function discover(group: string, version: string): object | undefined {
  const offered = resources.filter((one) => one.group === group && one.version === version);
  if (offered.length === 0) return undefined;
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: group === "" ? version : `${group}/${version}`,
    resources: offered.map(({ plural, kind, namespaced }) => ({
      name: plural,
      singularName: kind.toLowerCase(),
      kind,
      namespaced,
      verbs: ["create", "delete", "get", "list", "patch", "watch"],
    })),
  };
}
