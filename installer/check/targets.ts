import type { V1Service } from "@kubernetes/client-node";
import { parseOutboundCluster, parseServiceHost } from "../../routes/model/istio-cluster.ts";
import { didYouMean } from "../../routes/reading/diagnostic.ts";
import { KeywayError } from "../cli/errors.ts";
import { type Installation, targetNames } from "../manifests/installation.ts";
import type { Check, CheckOutcome } from "./check.ts";
import type { CheckContext } from "./context.ts";

/** A cluster of Istio's, taken apart: `outbound|9080|v2|reviews.demo.svc.cluster.local`. */
interface Target {
  cluster: string;
  port: number;
  service: string;
  namespace: string;
}

/** Where the routes lead; names that are no services of the mesh are the person's own affair. */
export function targetsOf({ config }: Pick<Installation, "config">): Target[] {
  return targetNames({ config }).flatMap((cluster) => {
    const parts = parseOutboundCluster(cluster);
    const service = parseServiceHost(parts?.host ?? "");
    if (parts === undefined || service === undefined) return [];
    return [{ cluster, port: parts.port, service: service.name, namespace: service.namespace }];
  });
}

export const targetsExist: Check<CheckContext> = {
  id: "targets",
  description: "the routes lead to services that exist",
  severity: "fatal",
  hint: "create the service first, or mend the route",
  needs: ["rights"],
  async run(context) {
    const missing: Missing[] = [];
    for (const target of targetsOf(context.installation)) {
      const services = await servicesOf(context, target.namespace);
      if (services === undefined || find(services, target) !== undefined) continue;
      const names = services.map(({ metadata }) => metadata?.name ?? "");
      const what = `${target.service}.${target.namespace}:${target.port} does not exist${didYouMean(target.service, names)}`;
      missing.push({ cluster: target.cluster, what });
    }
    return outcomeOf(missing, context.live);
  },
};

interface Missing {
  cluster: string;
  what: string;
}

/** A target that the installed routes lead to already is missing with this change or without it. */
function outcomeOf(missing: Missing[], live: Installation | undefined): CheckOutcome {
  if (missing.length === 0) return { holds: true };
  const before = new Set(live === undefined ? [] : targetNames(live));
  const lines = missing.map(({ cluster, what }) => (before.has(cluster) ? `${what} (missing already)` : what));
  const onlyBefore = missing.every(({ cluster }) => before.has(cluster));
  return { holds: false, detail: lines.join("\n"), ...(onlyBefore && { severity: "warning" as const }) };
}

/** Undefined for a namespace whose services may not be listed: then the proxies' own clusters tell. */
async function servicesOf(context: CheckContext, namespace: string): Promise<V1Service[] | undefined> {
  try {
    return await context.services(namespace);
  } catch (thrown) {
    if (thrown instanceof KeywayError && namespace !== context.installation.namespace) return undefined;
    throw thrown;
  }
}

function find(services: V1Service[], { service, port }: Target) {
  return services
    .find(({ metadata }) => metadata?.name === service)
    ?.spec?.ports?.find((candidate) => candidate.port === port);
}

export const targetsSeen: Check<CheckContext> = {
  id: "visible",
  description: "the selected proxies know the routes' targets",
  severity: "fatal",
  hint: "a Sidecar resource, an exportTo or a missing subset hides them: add them to its egress hosts, or to a DestinationRule",
  needs: ["rights", "workloads", "targets"],
  async run(context): Promise<CheckOutcome> {
    const targets = targetsOf(context.installation);
    if (targets.length === 0) return { holds: true };
    const { answers: blind, silent } = await context.askProxies(async (proxy) => {
      const clusters = await proxy.clusters();
      return { pod: proxy.pod.name, missing: targets.filter(({ cluster }) => !clusters.has(cluster)) };
    });
    const unknown = blind.flatMap(({ pod, missing }) =>
      missing.map(({ cluster }) => ({ cluster, what: `${pod} does not know ${cluster}` })),
    );
    if (unknown.length > 0) return outcomeOf(unknown, context.live);
    return { holds: true, ...(silent.length > 0 && { detail: silent.join("\n") }) };
  },
};

/** Prefixes of port names, and values of appProtocol, that Istio reads as HTTP. */
const HTTP = /^(?:http|http2|https|grpc|grpc-web)(?:-|$)/;

export const protocolsDeclared: Check<CheckContext> = {
  id: "protocols",
  description: "the targets' ports say that they speak HTTP",
  severity: "warning",
  hint: "name the port http-… or grpc-…, or set its appProtocol: else the target's own proxy takes it for plain TCP",
  needs: ["rights", "targets"],
  async run(context) {
    const silent: string[] = [];
    for (const target of targetsOf(context.installation)) {
      const port = find((await servicesOf(context, target.namespace)) ?? [], target);
      if (port === undefined || HTTP.test(port.appProtocol ?? port.name ?? "")) continue;
      silent.push(
        `${target.service}.${target.namespace}:${target.port}${port.name ? ` (${port.name})` : " has no name"}`,
      );
    }
    return silent.length === 0 ? { holds: true } : { holds: false, detail: silent.join("\n") };
  },
};
