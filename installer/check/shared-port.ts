import type { V1Service } from "@kubernetes/client-node";
import type { Service } from "../../routes/model/service.ts";
import { matches } from "../../shared/cluster/labels.ts";
import { isBehind, servicesIn } from "../../shared/services/services.ts";
import { type Installation, inboundPart } from "../manifests/installation.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./context.ts";
import { targetsOf } from "./target.ts";

export const portsUnshared: Check<CheckContext> = {
  id: "shared-port",
  description: "the requests that the routes take are those of one service, or of parts of it",
  severity: "warning",
  hint: "inbound, a proxy knows the port alone, so the routes are for all of these services; with --mode outbound each has its own",
  needs: ["rights", "workloads"],
  async run(context) {
    const { namespace } = context.installation;
    const ports = inboundPorts(inboundPart(context.installation));
    if (ports.length === 0) return { holds: true };
    const services = await context.services(namespace);
    const resolved = await context.once(`ports of ${namespace}`, () => servicesIn(context.cluster, namespace, true));
    const targets = targetsOf(context.installation).map(({ service }) => service);
    const others = services.filter((service) => !targets.includes(nameOf(service)));
    const { proxies, pending } = await context.selection();
    const [shared, parts] = [new Set<string>(), new Set<string>()];
    for (const { labels } of [...proxies, ...pending]) {
      const behind = others.filter((service) => isBehind(service, labels));
      for (const port of ports) {
        const same = behind.filter((service) => listensAt(resolved, nameOf(service), port));
        const whole = same.filter((service) => !same.some((other) => isPartOf(service, other)));
        const text = `to port ${port} of the same pods`;
        if (whole.length > 1) {
          shared.add(`${whole.map(nameOf).join(" and ")} send ${text}: a route for one is a route for all`);
        }
        for (const part of same.filter((service) => !whole.includes(service))) {
          parts.add(`${nameOf(part)} sends ${text} as ${whole.map(nameOf).join(" and ")}: the routes are for it too`);
        }
      }
    }
    const detail = [...shared, ...parts].join("\n");
    return { holds: shared.size === 0, ...(detail !== "" && { detail }) };
  },
};

function nameOf({ metadata }: V1Service): string {
  return metadata?.name ?? "";
}

function listensAt(resolved: readonly Service[], name: string, port: number): boolean {
  const own = resolved.find((one) => one.name === name)?.ports ?? [];
  return own.some((one) => (one.targetPort ?? one.port) === port);
}

/** Whether a service selects all that another does, and more: a version of it. */
function isPartOf({ spec }: V1Service, other: V1Service): boolean {
  const [own = {}, others = {}] = [spec?.selector, other.spec?.selector];
  return Object.keys(own).length > Object.keys(others).length && matches(others, own);
}

/** The ports whose requests the routes take, from `inbound|9080||`. */
function inboundPorts({ config }: Pick<Installation, "config">): number[] {
  const routes = (config.routes ?? []) as { from?: string }[];
  const ports = routes.flatMap(({ from }) => /^inbound\|(\d+)\|/.exec(from ?? "")?.[1] ?? []);
  return [...new Set(ports)].map(Number);
}
