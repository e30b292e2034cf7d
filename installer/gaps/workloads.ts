// Reads the counters of keys from the proxies of the workloads that the filter is installed on.
import { DEFAULT_SOURCE } from "../../routes/model/names.ts";
import { atOnce } from "../../shared/at-once.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { reason } from "../../shared/errors.ts";
import { pause } from "../../shared/net/limit.ts";
import { ownedObjects } from "../lifecycle/installed.ts";
import { remedyFor } from "../manifests/both-ways.ts";
import {
  ways as allWays,
  type Installation,
  type Labels,
  readInstallation,
  remembersTraces,
  type Way,
  waysOf,
} from "../manifests/installation.ts";
import { type Metrics, ProxyAdmin } from "../proxies/proxy-admin.ts";
import { type SelectedPod, selectPods } from "../proxies/selected-pods.ts";
import { type Flow, flowOf, since, sum } from "./flow.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

export interface Workload {
  namespace: string;
  workload: string;
  /** Proxies that have answered. */
  proxies: number;
  /** Why the others have told nothing, by their pods' names. */
  silent: Record<string, string>;
  /** The ways on which a filter with `trace` stands. */
  ways: Way[];
  verdict: Verdict;
  /** What to do where the filter stands on one way alone, as the rest of a sentence. */
  remedy?: string;
  flow?: Flow;
  /** The header to hand on, so that the key travels without the proxy's memory; the trace's where the key travels in none. */
  header: string;
}

export interface Gaps {
  /** Installations without `trace` among their keys, `NAMESPACE/NAME`. */
  untraced: string[];
  /** Installations with it. */
  traced: string[];
  workloads: Workload[];
}

export interface GapsOptions {
  cluster: Cluster;
  namespace: string | undefined;
  istioNamespace: string;
  /** Only pods with all these labels. */
  labels: Labels;
  /** Seconds: only what is counted within them, from now; undefined for everything since the proxies began. */
  seconds: number | undefined;
  signal: AbortSignal;
  /** Told when the counting begins. */
  counting?: () => void;
}

/** A pod and what stands in its proxy. */
interface Traced {
  pod: SelectedPod;
  /** All that select it, those without `trace` among their keys too. */
  installations: Installation[];
}

export async function readGaps(options: GapsOptions): Promise<Gaps> {
  const { cluster, namespace, istioNamespace, labels, signal } = options;
  const { plugins } = await ownedObjects(cluster, namespace);
  // Nothing is remembered at a gateway: nobody calls from there.
  const installations = plugins.map(readInstallation).filter(({ mode }) => mode !== "gateway");
  const [traced, untraced] = [
    installations.filter(remembersTraces),
    installations.filter((one) => !remembersTraces(one)),
  ];
  const pods = new Map<string, Traced>();
  for (const installation of [...traced, ...(traced.length > 0 ? untraced : [])]) {
    const { proxies } = await selectPods(cluster, installation, istioNamespace);
    for (const pod of proxies.filter((pod) => !pod.gateway && hasLabels(pod, labels))) {
      const known = pods.get(pod.uid);
      known?.installations.push(installation);
      if (known === undefined && remembersTraces(installation))
        pods.set(pod.uid, { pod, installations: [installation] });
    }
  }
  const all = [...pods.values()];
  let read = await readAll(all, cluster, signal);
  if (options.seconds !== undefined) {
    options.counting?.();
    await pause(options.seconds * 1000, signal);
    const now = await readAll(all, cluster, signal);
    read = now.map((one, i) => (typeof one === "string" ? one : sinceThen(read[i], one)));
  }
  return { traced: traced.map(nameOf), untraced: untraced.map(nameOf), workloads: groupsOf(all, read) };
}

function nameOf({ namespace, name }: Installation): string {
  return `${namespace}/${name}`;
}

function hasLabels(pod: SelectedPod, labels: Labels): boolean {
  return Object.entries(labels).every(([name, value]) => pod.labels[name] === value);
}

/** The header in which a key leaves, or the one of the trace where it leaves in none. */
function headerOf({ config }: Installation): string {
  const forms = [...((config.emit ?? []) as string[]), ...((config.keys ?? [DEFAULT_SOURCE]) as string[])];
  for (const form of forms) {
    const [kind, name = ""] = form.split(":", 2);
    if (kind === "header") return name.toLowerCase();
    if (kind === "baggage" || kind === "tracestate") return kind;
  }
  return "traceparent";
}

/** The metrics of each pod's proxy, or why it has none. */
function readAll(all: readonly Traced[], cluster: Cluster, signal: AbortSignal): Promise<(Metrics | string)[]> {
  return atOnce(16, all, async ({ pod }) => {
    try {
      return await new ProxyAdmin(cluster, pod, signal).metrics();
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      return reason(thrown);
    }
  });
}

function sinceThen(before: Metrics | string | undefined, now: Metrics): Metrics | string {
  return typeof before === "object" ? since(before, now) : "it did not answer at the beginning";
}

function groupsOf(all: readonly Traced[], read: readonly (Metrics | string)[]): Workload[] {
  const groups = new Map<string, number[]>();
  all.forEach(({ pod }, i) => {
    const group = `${pod.namespace}/${pod.workload}`;
    groups.set(group, [...(groups.get(group) ?? []), i]);
  });
  return [...groups.keys()].sort().map((group) => {
    const members = groups.get(group) ?? [];
    return workloadOf(
      members.map((i) => all[i] as Traced),
      members.map((i) => read[i] as Metrics | string),
    );
  });
}

const NOT_RUNNING = "no filter with `trace` runs in it yet";

function workloadOf(members: readonly Traced[], read: readonly (Metrics | string)[]): Workload {
  const silent: Record<string, string> = {};
  const told: Metrics[] = [];
  members.forEach(({ pod }, i) => {
    const metrics = read[i] as Metrics | string;
    if (typeof metrics === "string") silent[pod.name] = metrics;
    else if (flowOf(metrics) === undefined) silent[pod.name] = NOT_RUNNING;
    else told.push(metrics);
  });
  const [{ pod, installations }] = members as [Traced];
  const ways = allWays.filter((way) => members.some((one) => waysOfMemory(one).includes(way)));
  const flow = told.length === 0 ? undefined : flowOf(sum(told));
  const { namespace, workload } = pod;
  const verdict = verdictOf(ways, flow);
  const header = headerOf(installations[0] as Installation);
  const lacking = allWays.find((way) => !ways.includes(way));
  const remedy = lacking === undefined ? undefined : remedyFor(lacking, installations);
  const found = { ...(remedy !== undefined && { remedy }), ...(flow && { flow }) };
  return { namespace, workload, proxies: told.length, silent, ways, verdict, ...found, header };
}

function waysOfMemory({ installations }: Traced): Way[] {
  return installations.filter(remembersTraces).flatMap(({ mode }) => waysOf(mode));
}
