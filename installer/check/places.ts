import { didYouMean } from "../../routes/reading/diagnostic.ts";
import { isForbidden } from "../../shared/cluster/api-errors.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import type { Scope } from "../manifests/installation.ts";
import type { Check, CheckOutcome } from "./check.ts";
import type { CheckContext } from "./context.ts";

/** Kubernetes' rules for names, and for labels' names and values, one of which is the installation's name. */
const LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_PART = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

export const namesAllowed: Check<CheckContext> = {
  id: "valid-names",
  description: "the API server takes the names and labels",
  severity: "fatal",
  hint: "use small letters, digits and -, at most 63 of them, beginning and ending with a letter or digit",
  async run({ installation: { name, namespace, scope, pullSecret } }) {
    const wrong = [
      ...(LABEL.test(namespace) ? [] : [`namespace "${namespace}"`]),
      ...(SUBDOMAIN.test(name) && name.length <= 63 ? [] : [`name "${name}"`]),
      ...(pullSecret === undefined || isSubdomain(pullSecret) ? [] : [`image pull secret "${pullSecret}"`]),
      ...wrongIn(scope),
    ];
    return wrong.length === 0 ? { holds: true } : { holds: false, detail: `not allowed: ${wrong.join(", ")}` };
  },
};

function isSubdomain(text: string): boolean {
  return SUBDOMAIN.test(text) && text.length <= 253;
}

function wrongIn(scope: Scope): string[] {
  if ("gateway" in scope) return isSubdomain(scope.gateway) ? [] : [`gateway "${scope.gateway}"`];
  return Object.entries(scope.labels).flatMap(([key, value]) => {
    const [name = "", prefix, ...more] = key.split("/").reverse();
    const isKey = LABEL_PART.test(name) && (prefix === undefined || isSubdomain(prefix)) && more.length === 0;
    return isKey && (value === "" || LABEL_PART.test(value)) ? [] : [`label "${key}=${value}"`];
  });
}

export const namespaceExists: Check<CheckContext> = {
  id: "namespace",
  description: "the namespace exists",
  severity: "fatal",
  hint: "create it first (`kubectl create namespace NAME`), or name another with -n",
  needs: ["api", "valid-names"],
  async run({ cluster, installation: { namespace } }) {
    const ref = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, namespace: "" } };
    const there = await unlessForbidden(() => cluster.get<KubeObject & { status?: { phase?: string } }>(ref));
    if (there === FORBIDDEN) return notLookedAt(`get namespace ${namespace}`);
    if (there?.status?.phase === "Terminating") {
      return { holds: false, detail: `${namespace} is being deleted`, hint: "wait until it is gone and make it anew" };
    }
    if (there !== undefined) return { holds: true };
    const all = await unlessForbidden(() => cluster.list<KubeObject>("v1", "Namespace"));
    const names = all === FORBIDDEN ? [] : all.map(({ metadata }) => metadata?.name ?? "");
    return { holds: false, detail: `there is no namespace ${namespace}${didYouMean(namespace, names)}` };
  },
};

interface Gateway extends KubeObject {
  spec?: { gatewayClassName?: string };
}

const GATEWAYS = { group: "gateway.networking.k8s.io", version: "v1" };

export const gatewayExists: Check<CheckContext> = {
  id: "gateway",
  description: "what --target-ref names is a gateway that exists",
  severity: "fatal",
  hint: "name a Gateway of the Gateway API in the same namespace; Istio's classic gateways are selected with -l",
  needs: ["api", "valid-names"],
  async run({ cluster, installation: { namespace, scope } }) {
    if (!("gateway" in scope)) return { holds: true };
    const offered = await cluster.resources(GATEWAYS.group, GATEWAYS.version);
    if (!offered.some(({ name }) => name === "gateways")) {
      return { holds: false, detail: "this cluster has no Gateway API" };
    }
    const apiVersion = `${GATEWAYS.group}/${GATEWAYS.version}`;
    const ref = { apiVersion, kind: "Gateway", metadata: { name: scope.gateway, namespace } };
    const there = await unlessForbidden(() => cluster.get<Gateway>(ref));
    if (there === FORBIDDEN) return notLookedAt(`get gateway ${scope.gateway} in ${namespace}`);
    if (there?.spec?.gatewayClassName === "istio-waypoint") {
      return {
        holds: false,
        detail: `${scope.gateway} is a waypoint, whose routes take no EnvoyFilter`,
        hint: "waypoints are not supported: give the workloads sidecars and select them with -l",
      };
    }
    if (there !== undefined) return { holds: true };
    const all = await unlessForbidden(() => cluster.list<KubeObject>(apiVersion, "Gateway", { namespace }));
    const names = all === FORBIDDEN ? [] : all.map(({ metadata }) => metadata?.name ?? "");
    return {
      holds: false,
      detail: `there is no Gateway ${namespace}/${scope.gateway}${didYouMean(scope.gateway, names)}`,
    };
  },
};

const FORBIDDEN = Symbol("forbidden");

async function unlessForbidden<T>(request: () => Promise<T>): Promise<T | typeof FORBIDDEN> {
  try {
    return await request();
  } catch (thrown) {
    if (isForbidden(thrown)) return FORBIDDEN;
    throw thrown;
  }
}

/** The outcome of a check that the person has no right to make. */
export function notLookedAt(right: string): CheckOutcome {
  return { holds: undefined, detail: `not looked at: you may not ${right}`, hint: "`keyway render rbac` grants it" };
}
