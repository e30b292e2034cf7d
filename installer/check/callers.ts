// What the targets' policies make of a request that the baseline's proxy sends on in place of the caller.
import { title } from "../../shared/cluster/object.ts";
import { isBehind } from "../../shared/services/services.ts";
import { inboundPart, type Labels } from "../manifests/installation.ts";
import { type Caller, callerVerdict, dependsOnToken } from "./caller-rules.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./context.ts";
import { notLookedAt } from "./places.ts";
import { type AuthorizationPolicy, policiesFor, strippingTokens } from "./policies.ts";
import { servicesOf, type Target, targetsOf } from "./target.ts";

export const callersAdmitted: Check<CheckContext> = {
  id: "callers",
  description: "the targets' policies admit requests that the baseline's own proxy sends on",
  severity: "warning",
  hint:
    "inbound, the target is called by the baseline's proxy, with its identity and without a token that it has verified: admit the " +
    "baseline's service account, set forwardOriginalToken: true, or let the callers choose with --mode outbound",
  needs: ["rights", "workloads"],
  async run(context) {
    const { installation, istioNamespace } = context;
    const targets = targetsOf(inboundPart(installation));
    if (targets.length === 0) return { holds: true };
    const callers = await callersOf(context);
    const stripping = await strippingTokens(context);
    const lines: string[] = [];
    for (const target of targets) {
      const pods = await labelsBehind(context, target);
      const policies = await policiesFor<AuthorizationPolicy>(context, "AuthorizationPolicy", target.namespace, pods);
      if (policies === undefined || stripping === undefined) {
        return notLookedAt(
          `list AuthorizationPolicies and RequestAuthentications in ${target.namespace} and ${istioNamespace}`,
        );
      }
      const called = `${target.service}.${target.namespace}`;
      for (const caller of callers) {
        for (const { policy, why } of refusals(policies, caller))
          lines.push(
            `${title(policy)}: ${why}, so ${called} refuses what ${caller.namespace}/${caller.serviceAccount} sends on`,
          );
      }
      const byToken = policies.filter(({ spec }) => spec?.rules?.some(dependsOnToken));
      for (const policy of stripping.length > 0 ? byToken : []) {
        lines.push(
          `${title(policy)} asks for a token, which ${stripping.map(title).join(" and ")} takes off at the baseline, so ${called} gets none`,
        );
      }
    }
    return lines.length === 0 ? { holds: true } : { holds: false, detail: [...new Set(lines)].join("\n") };
  },
};

/** Who the selected proxies are to those that they call. */
export async function callersOf(context: CheckContext): Promise<Caller[]> {
  const { proxies, pending } = await context.selection();
  const callers = [...proxies, ...pending].map(({ namespace, serviceAccount }) => ({ namespace, serviceAccount }));
  return [...new Map(callers.map((caller) => [JSON.stringify(caller), caller])).values()];
}

/** The policies that go by the caller and refuse this one. One ALLOW rule that admits it is enough for all of them. */
export function refusals(
  policies: AuthorizationPolicy[],
  caller: Caller,
): { policy: AuthorizationPolicy; why: string }[] {
  const verdicts = policies.flatMap((policy) =>
    (policy.spec?.rules ?? []).map((rule) => {
      const verdict = callerVerdict(rule, caller, policy.metadata?.namespace ?? "");
      return { policy, action: policy.spec?.action ?? "ALLOW", verdict };
    }),
  );
  const admitted = verdicts.some(({ action, verdict }) => action === "ALLOW" && verdict === "named");
  return verdicts.flatMap(({ policy, action, verdict }) => {
    if (action === "ALLOW" && verdict === "others" && !admitted) return [{ policy, why: "it allows other callers" }];
    return action === "DENY" && verdict === "named" ? [{ policy, why: "it denies this caller" }] : [];
  });
}

/** The labels of the pods behind a service; what it selects by, where its pods can't be listed or are still to come. */
export async function labelsBehind(context: CheckContext, { service, namespace }: Target): Promise<Labels[]> {
  const found = (await servicesOf(context, namespace))?.find(({ metadata }) => metadata?.name === service);
  if (found === undefined) return [];
  const pods = namespace === context.installation.namespace ? await context.pods(namespace) : [];
  const behind = pods.map(({ metadata }) => metadata?.labels ?? {}).filter((labels) => isBehind(found, labels));
  return behind.length > 0 ? behind : [found.spec?.selector ?? {}];
}
