import type { V1Service } from "@kubernetes/client-node";
import { parseOutboundCluster, parseServiceHost } from "../../routes/model/istio-cluster.ts";
import { targetsOf as targetClusters } from "../../routes/model/targets.ts";
import { didYouMean } from "../../routes/reading/diagnostic.ts";
import { KeywayError } from "../cli/errors.ts";
import type { Installation } from "../manifests/installation.ts";
import { inBatches } from "../proxies/wait.ts";
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
  const routes = (config.routes ?? []) as Parameters<typeof targetClusters<string>>[0][];
  return [...new Set(routes.flatMap(targetClusters))].flatMap((cluster) => {
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
    const missing: string[] = [];
    for (const target of targetsOf(context.installation)) {
      const services = await servicesOf(context, target.namespace);
      if (services === undefined || find(services, target) !== undefined) continue;
      const names = services.map(({ metadata }) => metadata?.name ?? "");
      missing.push(
        `${target.service}.${target.namespace}:${target.port} does not exist${didYouMean(target.service, names)}`,
      );
    }
    return missing.length === 0 ? { holds: true } : { holds: false, detail: missing.join("\n") };
  },
};

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
    const blind = await inBatches(await context.proxies(), 16, async (proxy) => {
      const clusters = await proxy.clusters();
      return { pod: proxy.pod.name, missing: targets.filter(({ cluster }) => !clusters.has(cluster)) };
    });
    const lines = blind.flatMap(({ pod, missing }) => missing.map(({ cluster }) => `${pod} does not know ${cluster}`));
    return lines.length === 0 ? { holds: true } : { holds: false, detail: lines.join("\n") };
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
