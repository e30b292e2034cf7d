// The targets of an installation's routes, and the services behind them.
import type { V1Service } from "@kubernetes/client-node";
import { parseOutboundCluster, parseServiceHost } from "../../routes/model/istio-cluster.ts";
import { KeywayError } from "../../shared/errors.ts";
import { type Installation, targetNames } from "../manifests/installation.ts";
import type { CheckOutcome } from "./check.ts";
import type { CheckContext } from "./context.ts";

/** A cluster of Istio's, taken apart: `outbound|9080|v2|reviews.demo.svc.cluster.local`. */
export interface Target {
  cluster: string;
  port: number;
  service: string;
  namespace: string;
}

/** Where the routes lead; names that are no services of the mesh are not checked. */
export function targetsOf({ config }: Pick<Installation, "config">): Target[] {
  return targetNames({ config }).flatMap((cluster) => targetOf(cluster) ?? []);
}

export function targetOf(cluster: string): Target | undefined {
  const parts = parseOutboundCluster(cluster);
  const service = parseServiceHost(parts?.host ?? "");
  if (parts === undefined || service === undefined) return undefined;
  return { cluster, port: parts.port, service: service.name, namespace: service.namespace };
}

/** Something wrong with a target. */
export interface Missing {
  cluster: string;
  what: string;
}

/** The change does not cause the loss of a target that the installed routes lead to already, so that is a warning. */
export function outcomeOf(missing: Missing[], live: Installation | undefined): CheckOutcome {
  if (missing.length === 0) return { holds: true };
  const before = new Set(live === undefined ? [] : targetNames(live));
  const lines = missing.map(({ cluster, what }) => (before.has(cluster) ? `${what} (missing already)` : what));
  const onlyBefore = missing.every(({ cluster }) => before.has(cluster));
  return { holds: false, detail: lines.join("\n"), ...(onlyBefore && { severity: "warning" as const }) };
}

/** Undefined for a namespace whose services may not be listed: then the proxies' own clusters tell. */
export async function servicesOf(context: CheckContext, namespace: string): Promise<V1Service[] | undefined> {
  try {
    return await context.services(namespace);
  } catch (thrown) {
    if (thrown instanceof KeywayError && namespace !== context.installation.namespace) return undefined;
    throw thrown;
  }
}

export function findPort(services: V1Service[], { service, port }: Target) {
  return services
    .find(({ metadata }) => metadata?.name === service)
    ?.spec?.ports?.find((candidate) => candidate.port === port);
}
