// The controller beside a route server: of all of a cluster one at a time tells what became of Sandboxes, makes their copies, and ends them.
import type { Cluster } from "../shared/cluster/cluster.ts";
import { Events } from "./events.ts";
import { Leader, type LeaderSettings } from "./leader.ts";
import { Overrides } from "./overrides/overrides.ts";
import { Term, type TermSettings } from "./term.ts";

export interface ControllerSettings extends TermSettings {
  /** Namespaces in which versions of pods become routes. */
  overrides?: readonly string[];
  overridesLingerMs?: number;
  times?: LeaderSettings["times"];
}

export interface Controller {
  readonly isLeading: boolean;
  /** Something has happened to a Service or to its pods. */
  serviceChanged(namespace: string, name: string): void;
  /** Resolves once nothing more is done, after the cluster's signal was aborted. */
  readonly ended: Promise<void>;
}

export function startController({
  times,
  overrides = [],
  overridesLingerMs,
  ...settings
}: ControllerSettings): Controller {
  const { cluster, namespace, identity, log } = settings;
  let current: Term | undefined;
  const followVersions = async (own: Cluster) => {
    if (overrides.length === 0) return;
    // What an event says is logged as well, so nobody misses one that can't be written.
    const events = new Events({ cluster: own, identity, failed: () => {} });
    const { domain } = settings;
    const linger = overridesLingerMs === undefined ? {} : { lingerMs: overridesLingerMs };
    await new Overrides({ cluster: own, namespaces: overrides, domain, events, log, ...linger }).run();
  };
  const leader = new Leader({
    cluster,
    namespace,
    identity,
    async lead(signal) {
      log.info({ identity }, "this controller leads");
      const own = cluster.withSignal(signal);
      const term = new Term({ ...settings, cluster: own });
      current = term;
      try {
        await Promise.all([term.run(), followVersions(own)]);
      } finally {
        if (current === term) current = undefined;
        log.info({ identity }, "this controller leads no more");
      }
    },
    failed: (why) =>
      log.error({ why }, "the Lease of the controllers can't be had; statuses and copies stay as they are"),
    ...(times && { times }),
  });
  const ended = leader.run();
  return {
    get isLeading() {
      return leader.isLeading;
    },
    serviceChanged: (namespace, name) => current?.serviceChanged(namespace, name),
    ended,
  };
}
