// The controller beside the server, where the routes are in Kubernetes.
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Logger } from "pino";
import { ClusterForks } from "../controller/forks/forks.ts";
import { startController } from "../controller/main.ts";
import type { Services } from "../controller/plan/services.ts";
import { Cluster } from "../shared/cluster/cluster.ts";
import type { Io } from "../shared/io.ts";
import type { ScopeCount } from "./feed/counting.ts";
import type { Feed } from "./feed/feed.ts";
import { parseScope } from "./feed/scope.ts";
import { inForceEverywhere } from "./peers/everywhere.ts";
import type { Peers } from "./peers/peers.ts";
import type { Settings } from "./settings.ts";
import type { State } from "./state/state.ts";
import type { WatchedServices } from "./store/kubernetes/services.ts";
import type { KubernetesPlace } from "./stores.ts";

export interface ControllerParts {
  settings: Pick<Settings, "controller" | "domain" | "overrides">;
  /** Undefined where the routes are not in Kubernetes, and there is nothing to control. */
  kubernetes: KubernetesPlace | undefined;
  services: WatchedServices | undefined;
  state: State;
  feed: Feed;
  peers: Peers | undefined;
  env: Io["env"];
  log: Logger;
}

/** The variable in which a pod's container finds the pod's name. */
const POD_NAME = "POD_NAME";

/**
 * Under which this controller holds the Lease. A pod runs one process at a time, so one that has crashed goes on leading once it is started anew. Anywhere else a
 * process that has the name of another one would take its lease for its own.
 */
export function identityOf(env: Io["env"]): string {
  return env[POD_NAME] || `${hostname()}-${randomUUID().slice(0, 8)}`;
}

/** How many proxies are in no mesh. */
function plainOf(scopes: readonly ScopeCount[]): number {
  return scopes.reduce((sum, { scope, proxies }) => sum + (isPlain(scope) ? proxies : 0), 0);
}

function isPlain(scope: string): boolean {
  const parsed = parseScope(scope);
  return "kind" in parsed && parsed.kind === "plain";
}

/** What it returns ends the controller, which gives its lease back. */
export function openController({ settings, kubernetes, services, state, feed, peers, env, log }: ControllerParts) {
  if (kubernetes === undefined || services === undefined || !settings.controller) return async () => {};
  const ending = new AbortController();
  const { cluster, namespace, resources } = kubernetes;
  const known: Services = services;
  const options = { ...cluster.options, signal: ending.signal, fieldManager: "keyway-controller" };
  const controller = startController({
    cluster: new Cluster(cluster.transport, cluster.namespace, options),
    namespace,
    resources,
    identity: identityOf(env),
    domain: settings.domain,
    services,
    table: {
      get revision() {
        return state.revision;
      },
      get: (id) => state.get(id),
      async count(revision, routes) {
        const filter = { routes: routes.map((one) => ({ ...one, revision })) };
        const { proxies, inForce, scopes, missing = [] } = await inForceEverywhere({ feed, peers }, revision, filter);
        const plain = plainOf(scopes);
        const all = plain > 0 ? await inForceEverywhere({ feed, peers }, revision, {}) : undefined;
        return {
          total: proxies,
          inForce,
          plain,
          ...(all && { mesh: all.proxies - plainOf(all.scopes) }),
          ...(missing.length > 0 && { missing: missing.map(({ message }) => message) }),
        };
      },
    },
    forks: (own) =>
      new ClusterForks({
        cluster: own,
        isReady: (service, inNamespace) => known.isReady?.(service, inNamespace),
        failed: (why) => log.warn({ why }, "copies of workloads"),
      }),
    log,
    ...(settings.overrides && { overrides: settings.overrides }),
  });
  services.onService = (name, inNamespace) => controller.serviceChanged(inNamespace, name);
  return async () => {
    ending.abort();
    await controller.ended;
  };
}
