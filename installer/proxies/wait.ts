import { setTimeout as pause } from "node:timers/promises";
import { atOnce } from "../../shared/at-once.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { KeywayError, reason } from "../../shared/errors.ts";
import { TimeIsUp } from "../../shared/net/limit.ts";
import type { Progress } from "../cli/progress.ts";
import { ProxyAdmin, ProxySilent } from "./proxy-admin.ts";
import type { SelectedPod } from "./selected-pods.ts";

/** Why a proxy is not as wanted yet; undefined when it is. Throws FatalNotReady when waiting can only make it worse. */
export type Probe = (proxy: ProxyAdmin) => Promise<string | undefined>;

export interface WaitOptions {
  cluster: Cluster;
  /** The pods to wait for now. Asked again while waiting: pods that are gone leave the list, and new ones join it. */
  listPods: () => Promise<SelectedPod[]>;
  /** `version 2026-…`: what the proxies are waited for. */
  what: string;
  probe: Probe;
  /** Waiting ends when it is aborted: with a result when the time is up, else with its reason. */
  signal: AbortSignal;
  steps: Progress;
}

export class FatalNotReady extends KeywayError {}

export interface NotReady {
  pod: SelectedPod;
  why: string;
  /** It did not answer, and its pod is not ready: nobody waits for it, as on a lost node. */
  lost: boolean;
}

export interface WaitResult {
  /** All pods that were waited for in the end. */
  pods: SelectedPod[];
  notReady: NotReady[];
}

const AT_ONCE = 16;
const BETWEEN_ROUNDS = 200; // ms
/** Milliseconds that a list of pods is good for: one small list a second is what an API server does not notice. */
const LIST_LIFE = 1000;

/** Asks the proxies until all are as wanted, or only lost ones are left, or the time is up. */
export async function waitForProxies(options: WaitOptions): Promise<WaitResult> {
  const { listPods, what, signal, steps } = options;
  const ready = new Set<string>();
  let pods = await listPods();
  let listed = Date.now();
  let notReady: NotReady[] = [];
  for (;;) {
    notReady = await probeAll(
      options,
      pods.filter((pod) => !ready.has(pod.uid)),
      notReady,
    );
    for (const pod of pods) if (!notReady.some((one) => one.pod.uid === pod.uid)) ready.add(pod.uid);
    steps.update(`${what}: ${pods.length - notReady.length} of ${pods.length} proxies`);
    if (isTimeUp(signal) || notReady.every(({ lost }) => lost)) return { pods, notReady };
    await pause(BETWEEN_ROUNDS, undefined, { signal }).catch(() => {});
    if (isTimeUp(signal)) return { pods, notReady };
    if (Date.now() - listed < LIST_LIFE) continue;
    // A list that fails is asked for again in the next round; the one before serves as long.
    pods = await listPods().catch((thrown: unknown) => {
      if (isTimeUp(signal) || thrown instanceof KeywayError) return pods;
      throw thrown;
    });
    listed = Date.now();
  }
}

/** False also before it is aborted; throws when the person interrupts. */
function isTimeUp(signal: AbortSignal): boolean {
  if (signal.aborted && !(signal.reason instanceof TimeIsUp)) throw signal.reason;
  return signal.aborted;
}

async function probeAll(
  { cluster, probe, signal }: WaitOptions,
  pods: SelectedPod[],
  before: NotReady[],
): Promise<NotReady[]> {
  const seen = await atOnce(AT_ONCE, pods, async (pod): Promise<NotReady[]> => {
    try {
      const why = await probe(new ProxyAdmin(cluster, pod, signal));
      return why === undefined ? [] : [{ pod, why, lost: false }];
    } catch (thrown) {
      if (thrown instanceof FatalNotReady) throw thrown;
      const known = before.find((one) => one.pod.uid === pod.uid)?.why;
      const silent = thrown instanceof ProxySilent ? "it does not answer" : reason(thrown);
      const why = thrown instanceof TimeIsUp ? (known ?? "it has not answered") : silent;
      return [{ pod, why, lost: !pod.ready }];
    }
  });
  return seen.flat();
}

export function notReadyError(notReady: NotReady[], total: number, what: string, next: string): KeywayError {
  const lines = notReady.map(({ pod, why }) => `\n  × ${pod.namespace}/${pod.name}: ${why}`);
  return new KeywayError(`${notReady.length} of ${total} proxies do not have ${what}:${lines.join("")}`, { next });
}
