import { KeywayError, reason } from "../cli/errors.ts";
import type { Progress } from "../cli/progress.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { ProxyAdmin } from "./proxy-admin.ts";
import type { SelectedPod } from "./selected-pods.ts";

/** Why a proxy is not there yet; undefined when it is. */
export type Judge = (proxy: ProxyAdmin) => Promise<string | undefined>;

export interface Waiting {
  cluster: Cluster;
  pods: SelectedPod[];
  /** `version 2026-…`: what the proxies are waited for. */
  what: string;
  judge: Judge;
  timeoutSeconds: number;
  signal: AbortSignal;
  steps: Progress;
}

const AT_ONCE = 16;
const BETWEEN_ROUNDS = 200;

/** What a judge throws when waiting can only make it worse. */
export class Hopeless extends KeywayError {}

export interface Late {
  pod: SelectedPod;
  why: string;
  /** It did not answer, and its pod is not ready: nobody waits for it, as on a lost node. */
  lost?: boolean;
}

/** Asks the proxies until all are as the judge wants them or the time is over; the late ones with their reasons. */
export async function settle(waiting: Waiting): Promise<Late[]> {
  const { pods, what, timeoutSeconds, signal, steps } = waiting;
  const deadline = Date.now() + timeoutSeconds * 1000;
  let late = pods.map((pod): Late => ({ pod, why: "not asked yet" }));
  while (late.length > 0) {
    late = await round(waiting, late);
    steps.update(`${what}: ${pods.length - late.length} of ${pods.length} proxies`);
    if (late.every(({ lost }) => lost) || Date.now() >= deadline) break;
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_ROUNDS));
  }
  return late;
}

async function round({ cluster, judge, signal }: Waiting, asked: Late[]): Promise<Late[]> {
  const verdicts = await inBatches(asked, AT_ONCE, async ({ pod }) => {
    try {
      return { pod, why: await judge(new ProxyAdmin(cluster, pod, signal)) };
    } catch (thrown) {
      if (thrown instanceof Hopeless) throw thrown;
      return { pod, why: reason(thrown), lost: !pod.ready };
    }
  });
  return verdicts.filter((verdict): verdict is Late => verdict.why !== undefined);
}

export async function inBatches<T, R>(all: T[], size: number, work: (one: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (let at = 0; at < all.length; at += size) done.push(...(await Promise.all(all.slice(at, at + size).map(work))));
  return done;
}

export function lateError(late: Late[], total: number, what: string, next: string): KeywayError {
  const lines = late.map(({ pod, why }) => `\n  × ${pod.namespace}/${pod.name}: ${why}`);
  return new KeywayError(`${late.length} of ${total} proxies do not have ${what}:${lines.join("")}`, { next });
}
