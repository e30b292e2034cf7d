import type { V1PolicyRule, V1Role, V1RoleBinding } from "@kubernetes/client-node";
import { GROUP } from "../../routes/model/route-resource.ts";
import { CONTROLLER_LEASE } from "../../routes/model/sandbox.ts";

/** One thing that Keyway does to the API: the unit of what is asked for, checked, and granted. */
export interface Right {
  verb: string;
  group: string;
  /** Plural, with its subresource: `pods/portforward`. */
  resource: string;
  namespace: string;
  name?: string;
  /** What it is needed for. */
  why: string;
  /** Without it a check says that it did not look, and nothing else is lost. */
  optional?: boolean;
}

export interface Places {
  namespace: string;
  istioNamespace: string;
  /** Other namespaces whose services routes name. */
  routeNamespaces?: readonly string[];
}

const ISTIOD_MONITORING = "istiod:15014";

const owned = [
  { group: "extensions.istio.io", resource: "wasmplugins" },
  { group: "networking.istio.io", resource: "envoyfilters" },
];

/** Exactly what install, upgrade, status and uninstall do, no more. */
export function rights({ namespace, istioNamespace, routeNamespaces = [] }: Places): Right[] {
  const own = owned.flatMap(({ group, resource }) =>
    ["get", "list", "create", "patch", "delete"].map((verb) => ({
      verb,
      group,
      resource,
      namespace,
      why: "put it in, change it, take it out",
    })),
  );
  const others = [...new Set(routeNamespaces)].filter((other) => other !== namespace);
  const withPolicies = [...new Set([namespace, istioNamespace, ...others])];
  return [
    ...own,
    { verb: "list", group: "", resource: "pods", namespace, why: "find the selected proxies" },
    { verb: "get", group: "", resource: "pods/portforward", namespace, why: "ask the proxies what they run" },
    { verb: "create", group: "", resource: "pods/portforward", namespace, why: "ask the proxies what they run" },
    { verb: "list", group: "", resource: "services", namespace, why: "find the services that routes name" },
    { verb: "list", group: "", resource: "services", namespace: istioNamespace, why: "find istiod" },
    {
      verb: "get",
      group: "",
      resource: "services/proxy",
      namespace: istioNamespace,
      name: ISTIOD_MONITORING,
      why: "ask istiod for its version",
    },
    ...others.map((other) => ({
      verb: "list",
      group: "",
      resource: "services",
      namespace: other,
      why: "find the services that routes name",
    })),
    {
      verb: "get",
      group: "",
      resource: "namespaces",
      namespace,
      name: namespace,
      why: "see that the namespace exists",
      optional: true,
    },
    {
      verb: "get",
      group: "gateway.networking.k8s.io",
      resource: "gateways",
      namespace,
      why: "see that the gateway exists",
      optional: true,
    },
    ...withPolicies.flatMap((one) =>
      ["authorizationpolicies", "requestauthentications"].map((resource) => ({
        verb: "list",
        group: "security.istio.io",
        resource,
        namespace: one,
        why: "see whether a policy refuses what is routed",
        optional: true,
      })),
    ),
  ];
}

export type Subject =
  | { kind: "User" | "Group"; name: string }
  | { kind: "ServiceAccount"; name: string; namespace: string };

/** A Role and a RoleBinding for each namespace, that grant the rights and nothing else. */
export function rbacManifests(places: Places, subject: Subject): (V1Role | V1RoleBinding)[] {
  const namespaces = [places.namespace, places.istioNamespace, ...(places.routeNamespaces ?? [])];
  return [...new Set(namespaces)].flatMap((namespace) => {
    const metadata = { name: "keyway-installer", namespace };
    const rules = rulesOf(rights(places).filter((right) => right.namespace === namespace));
    return [
      { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata, rules },
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: metadata.name },
        subjects: [subject.kind === "ServiceAccount" ? subject : { ...subject, apiGroup: "rbac.authorization.k8s.io" }],
      },
    ];
  });
}

type Rule = (apiGroups: string[], resources: string[], verbs: string[]) => V1PolicyRule;

/** What copies of workloads take: to read the workloads, to write the copies and their Services, and to say what their pods wait for. */
function forkRules(rule: Rule): V1PolicyRule[] {
  const write = ["create", "patch", "delete"];
  return [
    rule(["apps"], ["deployments"], ["get", "list", "watch", ...write]),
    rule(["apps"], ["statefulsets"], ["get", "list", "watch"]),
    rule(["argoproj.io"], ["rollouts"], ["get", "list", "watch"]),
    rule([""], ["services"], write),
    rule([""], ["pods"], ["list"]),
  ];
}

/** What it takes to follow Sandboxes, to tell in their statuses, those of Routes and by events what became of them, and to end them. */
function sandboxRules(rule: Rule): V1PolicyRule[] {
  return [
    rule([GROUP], ["sandboxes"], ["get", "list", "watch", "patch", "delete"]),
    rule([GROUP], ["routes/status", "sandboxes/status"], ["patch"]),
    rule(["events.k8s.io"], ["events"], ["create"]),
  ];
}

/** What a route server with its routes in Kubernetes takes: the Routes of all namespaces, as an id may name any of them, the Services and
 * their endpoints to read, and whose tokens there are. */
export function serverManifests(namespace: string, subject: Subject) {
  const rbac = "rbac.authorization.k8s.io";
  const metadata = { name: "keyway-server", namespace };
  const clusterName = { name: `keyway-server-${namespace}` };
  const subjects = [subject.kind === "ServiceAccount" ? subject : { ...subject, apiGroup: rbac }];
  const rule = (apiGroups: string[], resources: string[], verbs: string[], more = {}) => ({
    apiGroups,
    resources,
    verbs,
    ...more,
  });
  const routes = rule([GROUP], ["routes"], ["get", "list", "watch", "create", "update", "delete"]);
  // Of several controllers one at a time holds the Lease.
  const lease = rule(["coordination.k8s.io"], ["leases"], ["create"]);
  const ownLease = rule(["coordination.k8s.io"], ["leases"], ["get", "update"], { resourceNames: [CONTROLLER_LEASE] });
  const home = rule([""], ["namespaces"], ["get"], { resourceNames: [namespace] });
  const services = rule([""], ["services"], ["list", "watch"]);
  const endpoints = rule(["discovery.k8s.io"], ["endpointslices"], ["list", "watch"]);
  const tokens = rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]);
  const access = rule(["authorization.k8s.io"], ["subjectaccessreviews"], ["create"]);
  const roleRef = (kind: string, name: string) => ({ apiGroup: rbac, kind, name });
  return [
    { apiVersion: `${rbac}/v1`, kind: "Role", metadata, rules: [lease, ownLease] },
    { apiVersion: `${rbac}/v1`, kind: "RoleBinding", metadata, roleRef: roleRef("Role", metadata.name), subjects },
    {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRole",
      metadata: clusterName,
      rules: [home, routes, services, endpoints, tokens, access, ...sandboxRules(rule), ...forkRules(rule)],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRoleBinding",
      metadata: clusterName,
      roleRef: roleRef("ClusterRole", clusterName.name),
      subjects,
    },
  ];
}

/** What a route server's controller takes to make routes of the versions of a namespace's pods. */
export function overridesManifests(namespace: string, subject: Subject): (V1Role | V1RoleBinding)[] {
  const follow = ["get", "list", "watch"];
  const write = ["create", "patch", "delete"];
  return roleFor("keyway-overrides", namespace, subject, [
    { apiGroups: [""], resources: ["services", "pods"], verbs: follow },
    { apiGroups: ["networking.istio.io"], resources: ["virtualservices"], verbs: follow },
    { apiGroups: ["networking.istio.io"], resources: ["destinationrules"], verbs: [...follow, ...write] },
    { apiGroups: [GROUP], resources: ["routes"], verbs: [...follow, ...write] },
    { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create"] },
  ]);
}

/** What a route server takes to keep the rules and instances of Amalgam8's clients in its own namespace. */
export function amalgam8Manifests(namespace: string, subject: Subject): (V1Role | V1RoleBinding)[] {
  const verbs = ["list", "watch", "create", "update", "delete"];
  return roleFor("keyway-amalgam8", namespace, subject, [{ apiGroups: [""], resources: ["configmaps"], verbs }]);
}

function roleFor(name: string, namespace: string, subject: Subject, rules: V1PolicyRule[]): (V1Role | V1RoleBinding)[] {
  const rbac = "rbac.authorization.k8s.io";
  const metadata = { name, namespace };
  const subjects = [subject.kind === "ServiceAccount" ? subject : { ...subject, apiGroup: rbac }];
  const roleRef = { apiGroup: rbac, kind: "Role", name };
  return [
    { apiVersion: `${rbac}/v1`, kind: "Role", metadata, rules },
    { apiVersion: `${rbac}/v1`, kind: "RoleBinding", metadata, roleRef, subjects },
  ];
}

function rulesOf(held: Right[]): V1PolicyRule[] {
  const rules = new Map<string, V1PolicyRule>();
  for (const { verb, group, resource, name } of held) {
    const thing = JSON.stringify([group, resource, name]);
    const named = name === undefined ? {} : { resourceNames: [name] };
    const rule = rules.get(thing) ?? { apiGroups: [group], resources: [resource], ...named, verbs: [] };
    rules.set(thing, rule);
    rule.verbs.push(verb);
  }
  return [...rules.values()];
}
