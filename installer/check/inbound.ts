import type { V1Service } from "@kubernetes/client-node";
import { isBehind, servicesIn } from "../lifecycle/services.ts";
import type { Installation } from "../manifests/installation.ts";
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

export const portsUnshared: Check<CheckContext> = {
  id: "shared-port",
  description: "no other service sends its requests to the same port of the same pods",
  severity: "warning",
  hint: "inbound, a proxy knows the port alone, so the routes are for all of these services; with --mode outbound each has its own",
  needs: ["rights", "workloads"],
  async run(context) {
    const { mode, namespace } = context.installation;
    if (mode !== "inbound") return { holds: true };
    const ports = inboundPorts(context.installation);
    const raw = await context.services(namespace);
    const resolved = await context.once(`ports of ${namespace}`, () => servicesIn(context.cluster, namespace, true));
    const targets = targetsOf(context.installation).map(({ service }) => service);
    const { proxies, pending } = await context.selection();
    const lines = [...proxies, ...pending].flatMap(({ labels }) => {
      const behind = raw.filter((service) => isBehind(service, labels)).map(({ metadata }) => metadata?.name ?? "");
      return ports.flatMap((port) => {
        const names = behind.filter(
          (name) =>
            !targets.includes(name) &&
            resolved.find((one) => one.name === name)?.ports.some((own) => (own.targetPort ?? own.port) === port),
        );
        return names.length > 1
          ? [`${names.join(" and ")} send to port ${port} of the same pods: a route for one is a route for all`]
          : [];
      });
    });
    return lines.length === 0 ? { holds: true } : { holds: false, detail: [...new Set(lines)].join("\n") };
  },
};

/** The ports whose requests the routes take, from `inbound|9080||`. */
function inboundPorts({ config }: Pick<Installation, "config">): number[] {
  const routes = (config.routes ?? []) as { from?: string }[];
  const ports = routes.flatMap(({ from }) => /^inbound\|(\d+)\|/.exec(from ?? "")?.[1] ?? []);
  return [...new Set(ports)].map(Number);
}
