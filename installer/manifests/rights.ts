import type { V1PolicyRule, V1Role, V1RoleBinding } from "@kubernetes/client-node";

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
}

export interface Places {
  namespace: string;
  istioNamespace: string;
}

const ISTIOD_MONITORING = "istiod:15014";

const owned = [
  { group: "extensions.istio.io", resource: "wasmplugins" },
  { group: "networking.istio.io", resource: "envoyfilters" },
];

/** Exactly what install, upgrade, status and uninstall do, no more. */
export function rights({ namespace, istioNamespace }: Places): Right[] {
  const own = owned.flatMap(({ group, resource }) =>
    ["get", "list", "create", "patch", "delete"].map((verb) => ({
      verb,
      group,
      resource,
      namespace,
      why: "put it in, change it, take it out",
    })),
  );
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
  ];
}

export type Subject =
  | { kind: "User" | "Group"; name: string }
  | { kind: "ServiceAccount"; name: string; namespace: string };

/** A Role and a RoleBinding for each namespace, that grant the rights and nothing else. */
export function rbacManifests(places: Places, subject: Subject): (V1Role | V1RoleBinding)[] {
  const namespaces = [...new Set([places.namespace, places.istioNamespace])];
  return namespaces.flatMap((namespace) => {
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
