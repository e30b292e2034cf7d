import type { Check } from "./check.ts";
import type { CheckContext } from "./context.ts";

export const behindPolicies: Check<CheckContext> = {
  id: "order",
  description: "the filter stands behind Istio's authentication and authorization",
  severity: "warning",
  hint:
    "leave --phase out, or take STATS: behind them, who may not send a request may not send it with a key either, claims and " +
    "callers are verified, and a request that is refused is not counted as routed",
  async run({ installation: { phase } }) {
    if (phase === undefined || phase === "STATS") return { holds: true };
    const before = phase === "AUTHN" ? "authentication and authorization" : "authorization";
    return { holds: false, detail: `--phase ${phase} puts it before ${before}` };
  },
};
