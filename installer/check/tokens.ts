import { title } from "../../shared/cluster/object.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./context.ts";
import { notLookedAt } from "./places.ts";
import { selectedAuthentications, strippingTokens } from "./policies.ts";

export const tokensSeen: Check<CheckContext> = {
  id: "tokens",
  description: "the filter sees tokens, and verified ones",
  severity: "warning",
  hint: "let a RequestAuthentication verify the token before the filter, and leave it on",
  needs: ["rights", "workloads"],
  async run(context) {
    const { config, mode, phase, namespace } = context.installation;
    const keys = Array.isArray(config.keys) ? config.keys : [];
    if (mode === "outbound" || !keys.some((key) => String(key).startsWith("jwt:"))) return { holds: true };
    const [all, stripping] = [await selectedAuthentications(context), await strippingTokens(context)];
    if (all === undefined || stripping === undefined) return notLookedAt(`list RequestAuthentications in ${namespace}`);
    if (all.length === 0) {
      return {
        holds: false,
        detail: "jwt: reads a claim that nobody has verified: no RequestAuthentication selects these proxies",
        hint: "add a RequestAuthentication with forwardOriginalToken: true, or take another source of keys",
      };
    }
    if (stripping.length === 0 || phase === "AUTHN") return { holds: true };
    return {
      holds: false,
      detail: `${stripping.map(title).join(" and ")} takes the token off before the filter sees it, so jwt: never finds a key`,
      hint: "set forwardOriginalToken: true in its jwtRules, or outputClaimToHeaders there and a header: source in place of jwt:",
    };
  },
};
