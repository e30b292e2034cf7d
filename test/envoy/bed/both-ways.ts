// A real Envoy that stands on an application's way in and on its way out, as a sidecar does.
import type { Bootstrap, Listener } from "../../../scripts/proxy/bootstrap.ts";
import { type Bed, startBed } from "./bed.ts";
import { cluster, encoded, plugin, setRoutes } from "./bootstrap.ts";

export type BothWays = {
  /** Where the application listens. */
  app: number;
  inbound: object;
  outbound: object;
  /** Clusters beside the application and `next`; each is a service that answers with its name. */
  targets: string[];
  concurrency?: number;
  /** Last changes to the configuration that Envoy starts with; its listeners are the one on the way in and the one on the way out. */
  change?: (bootstrap: Bootstrap, ports: Record<string, number>) => void;
};

/** Requests to `bed.port` reach the application; what it sends to the port of the listener `out` reaches `next`. */
export function startBothWays({ app, inbound, outbound, targets, concurrency = 2, change }: BothWays): Promise<Bed> {
  return startBed({
    config: inbound,
    baselines: { "/": "next" },
    targets,
    concurrency,
    change: (made, ports) => {
      const { listeners, clusters } = made.static_resources;
      const [web] = listeners as [Listener];
      const out: Listener = { ...structuredClone(web), name: "out" };
      listeners.push(Object.assign(out, { traffic_direction: "OUTBOUND" }));
      plugin(out).configuration = encoded(outbound);
      Object.assign(web, { traffic_direction: "INBOUND" });
      setRoutes(web, { "/": "app" });
      clusters.push(cluster("app", app));
      change?.(made, ports);
    },
  });
}

export function portOut({ envoy }: Bed): number {
  return envoy.ports.out as number;
}
