// Istio's policies for pods, where they may be listed.
import { isForbidden, isNotFound } from "../../shared/cluster/api-errors.ts";
import { matches } from "../../shared/cluster/labels.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import type { Labels } from "../manifests/installation.ts";
import type { PolicyRule } from "./caller-rules.ts";
import type { CheckContext } from "./context.ts";

const SECURITY = "security.istio.io/v1";

interface Selecting extends KubeObject {
  spec?: { selector?: { matchLabels?: Labels }; targetRefs?: { kind?: string; name?: string }[] };
}

export interface AuthorizationPolicy extends Selecting {
  spec?: Selecting["spec"] & { action?: string; rules?: PolicyRule[] };
}

export interface RequestAuthentication extends Selecting {
  spec?: Selecting["spec"] & { jwtRules?: { forwardOriginalToken?: boolean }[] };
}

/** RequestAuthentications of the selected proxies that take a verified token off; undefined when they may not be listed. */
export async function strippingTokens(context: CheckContext): Promise<RequestAuthentication[] | undefined> {
  const all = await selectedAuthentications(context);
  return all?.filter(({ spec }) => spec?.jwtRules?.some((rule) => rule.forwardOriginalToken !== true));
}

export async function selectedAuthentications(context: CheckContext): Promise<RequestAuthentication[] | undefined> {
  const { namespace, scope } = context.installation;
  const { proxies, pending } = await context.selection();
  const pods = [...proxies, ...pending].map(({ labels }) => labels);
  const gateway = "gateway" in scope ? scope.gateway : undefined;
  return policiesFor<RequestAuthentication>(context, "RequestAuthentication", namespace, pods, gateway);
}

/** The policies of a kind, in this namespace and in Istio's root namespace, that are for one of these pods; undefined without the
 * right to list them. */
export async function policiesFor<T extends Selecting>(
  context: CheckContext,
  kind: string,
  namespace: string,
  pods: readonly Labels[],
  gateway?: string,
): Promise<T[] | undefined> {
  const all: T[] = [];
  for (const place of new Set([namespace, context.istioNamespace])) {
    const listed = await listPolicies(context, kind, place);
    if (listed === undefined) return undefined;
    all.push(...(listed as T[]));
  }
  return all.filter(({ spec }) => {
    if (spec?.targetRefs) return spec.targetRefs.some(({ kind, name }) => kind === "Gateway" && name === gateway);
    return pods.some((labels) => matches(spec?.selector?.matchLabels ?? {}, labels));
  });
}

function listPolicies(context: CheckContext, kind: string, namespace: string): Promise<Selecting[] | undefined> {
  return context.once(`${kind} of ${namespace}`, async () => {
    try {
      return await context.cluster.list<Selecting>(SECURITY, kind, { namespace });
    } catch (thrown) {
      if (isForbidden(thrown)) return undefined;
      if (isNotFound(thrown)) return [];
      throw thrown;
    }
  });
}
