import type { V1Service } from "@kubernetes/client-node";
import { isBehind } from "../../shared/services/services.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./context.ts";
import { targetsOf } from "./target.ts";

export const inboundOwn: Check<CheckContext> = {
  id: "inbound",
  description: "the selected proxies stand before the services that the routes start from",
  severity: "fatal",
  hint: "select the workloads of one service with -l, or let the callers choose with --mode outbound",
  needs: ["rights", "workloads"],
  async run(context) {
    const { mode, baselines = [], namespace } = context.installation;
    if (mode !== "inbound" || baselines.length === 0) return { holds: true };
    const services = await context.services(namespace);
    const targets = targetsOf(context.installation).map(({ service }) => service);
    const { proxies, pending } = await context.selection();
    const astray = [...proxies, ...pending].flatMap(({ name: pod, labels }) => {
      const own = services.filter((service) => isBehind(service, labels));
      if (own.some(({ metadata }) => targets.includes(metadata?.name ?? ""))) return [];
      const strange = baselines.filter(({ name }) => !own.some(({ metadata }) => metadata?.name === name));
      return strange
        .filter(({ port }) => own.some((service) => listensOn(service, port)))
        .map(
          ({ name, port }) =>
            `${pod} is not behind ${name}, but listens on ${port} too, and would route its own requests so`,
        );
    });
    const lines = [...new Set(astray)];
    return lines.length === 0 ? { holds: true } : { holds: false, detail: lines.join("\n") };
  },
};

function listensOn({ spec }: V1Service, port: number): boolean {
  return spec?.ports?.some((own) => Number(own.targetPort ?? own.port) === port) === true;
}
