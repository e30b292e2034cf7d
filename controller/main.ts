// The controller beside a route server: of all of a cluster one at a time tells what became of Sandboxes, makes their copies, and ends them.
import { Leader, type LeaderSettings } from "./leader.ts";
import { Term, type TermSettings } from "./term.ts";

export interface ControllerSettings extends TermSettings {
  times?: LeaderSettings["times"];
}

export interface Controller {
  readonly isLeading: boolean;
  /** Something has happened to a Service or to its pods. */
  serviceChanged(namespace: string, name: string): void;
  /** Resolves once nothing more is done, after the cluster's signal was aborted. */
  readonly ended: Promise<void>;
}

export function startController({ times, ...settings }: ControllerSettings): Controller {
  const { cluster, namespace, identity, log } = settings;
  let current: Term | undefined;
  const leader = new Leader({
    cluster,
    namespace,
    identity,
    async lead(signal) {
      log.info({ identity }, "this controller leads");
      const term = new Term({ ...settings, cluster: cluster.withSignal(signal) });
      current = term;
      try {
        await term.run();
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
