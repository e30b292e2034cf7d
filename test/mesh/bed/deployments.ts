// What a cluster's controller manager and kubelets do about the Deployments of a namespace: pods of the template, new ones before old ones go, their
// endpoints, and the status. A pod that ends is told to be no endpoint first, serves on for its grace, and is stopped then.
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { V1Container, V1Deployment, V1PodTemplateSpec, V1Volume } from "@kubernetes/client-node";
import type { Api } from "./api.ts";
import type { Labels } from "./objects.ts";
import { PROXY } from "./objects.ts";
import type { Pod, PodShape, Program } from "./pod.ts";
import { until } from "./until.ts";

/** An image of Keyway's own, whatever its tag: its containers run this checkout's command. */
export const IMAGE_OF_KEYWAY = "registry.example/keyway";
const MAIN = fileURLToPath(new URL("../../../installer/main.ts", import.meta.url));

const TICK_MS = 150;
/** How long a pod serves on that ends, unless its template says it. */
const GRACE_MS = 3000;

/** What is done to the bed's pods. */
export interface PodMaker {
  start(shape: Omit<PodShape, "address">): Promise<Pod>;
  stop(pod: Pod): Promise<void>;
  /** Makes the endpoints of the namespace what its pods and Services come to. */
  sync(): Promise<void>;
}

interface Running {
  /** Undefined while it starts. */
  pod: Pod | undefined;
  hash: string;
  graceMs: number;
  isEnding: boolean;
}

export class Deployments {
  readonly #api: Api;
  readonly #namespace: string;
  readonly #maker: PodMaker;
  /** By the Deployment's name. */
  readonly #running = new Map<string, Running[]>();
  readonly #work = new Set<Promise<void>>();
  #services = "";
  #isStopped = false;
  #count = 0;
  readonly #loop: Promise<void>;

  constructor(api: Api, namespace: string, maker: PodMaker) {
    this.#api = api;
    this.#namespace = namespace;
    this.#maker = maker;
    this.#loop = this.#run();
  }

  /** The pods that serve. */
  pods(deployment: string): Pod[] {
    return this.#of(deployment).flatMap(({ pod, isEnding }) => (pod && !isEnding ? [pod] : []));
  }

  /** Begins nothing more; the pods that there are stay. What was deleted since the last look leaves no endpoints. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#loop;
    await Promise.all(this.#work);
    await this.#sync();
  }

  /** Resolves once no pod starts or ends. */
  async idle(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  /** Crashes the program of a pod, which is no endpoint until it is ready again. */
  async crash(pod: Pod): Promise<void> {
    const done = pod.crash();
    // The pod has been told to be unready by then.
    await sleep(50);
    await this.#sync();
    await done;
    await this.#sync();
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      // While the API server is away everything stays as it is.
      await this.#tick().catch(() => {});
      await sleep(TICK_MS);
    }
  }

  async #tick(): Promise<void> {
    const { items } = await this.#api.apps.listNamespacedDeployment({ namespace: this.#namespace });
    const byName = new Map(items.map((one) => [`${one.metadata?.name}`, one]));
    for (const name of new Set([...this.#running.keys(), ...byName.keys()])) {
      await this.#reconcile(name, byName.get(name));
    }
    const services = await this.#api.core.listNamespacedService({ namespace: this.#namespace });
    const known = JSON.stringify(services.items.map(({ metadata, spec }) => [metadata?.uid, spec]));
    if (known !== this.#services) {
      await this.#maker.sync();
      this.#services = known;
    }
  }

  async #reconcile(name: string, deployment: V1Deployment | undefined): Promise<void> {
    const all = this.#of(name).filter(({ isEnding }) => !isEnding);
    const wanted = deployment?.spec?.replicas ?? (deployment ? 1 : 0);
    const template = deployment?.spec?.template;
    const hash = createHash("sha256")
      .update(JSON.stringify(template ?? ""))
      .digest("hex")
      .slice(0, 9);
    const current = all.filter((one) => one.hash === hash);
    const ready = current.filter(({ pod }) => pod);
    if (template) for (let more = current.length; more < wanted; more++) this.#start(name, template, hash);
    const surplus = ready.slice(wanted);
    const old = ready.length >= wanted ? all.filter((one) => one.hash !== hash && one.pod) : [];
    for (const one of [...surplus, ...old]) this.#end(name, one);
    if (deployment) await this.#tell(deployment, { all: all.length, current: current.length, ready: ready.length });
  }

  async #tell(deployment: V1Deployment, { all, current, ready }: { all: number; current: number; ready: number }) {
    const { name = "", generation = 0 } = deployment.metadata ?? {};
    const counts = { replicas: all, updatedReplicas: current, readyReplicas: ready, availableReplicas: ready };
    const status = { observedGeneration: generation, ...counts };
    const told: object = deployment.status ?? {};
    if (Object.entries(status).every(([field, value]) => ((told as Record<string, number>)[field] ?? 0) === value))
      return;
    const body = { ...deployment, status };
    await this.#api.apps.replaceNamespacedDeploymentStatus({ name, namespace: this.#namespace, body }).catch(() => {});
  }

  #start(name: string, template: V1PodTemplateSpec, hash: string): void {
    const graceMs = preStopMs(template);
    const running: Running = { pod: undefined, hash, graceMs, isEnding: false };
    this.#running.set(name, [...this.#of(name), running]);
    const shape = shapeOf(template, { name: `${name}-${++this.#count}`, namespace: this.#namespace, workload: name });
    this.#track(async () => {
      running.pod = await this.#maker.start(shape);
    });
  }

  #end(name: string, running: Running): void {
    const { pod } = running;
    if (pod === undefined) return;
    running.isEnding = true;
    this.#track(async () => {
      await until("the API server", () => this.#api.deletePod(pod.namespace, pod.name, 30).then(() => true));
      await this.#sync();
      await sleep(running.graceMs);
      await pod.end();
      await until("the API server", () => this.#maker.stop(pod).then(() => true));
      this.#running.set(
        name,
        this.#of(name).filter((one) => one !== running),
      );
    });
  }

  async #sync(): Promise<void> {
    await until("the API server", () => this.#maker.sync().then(() => true));
  }

  #track(work: () => Promise<void>): void {
    const done = work();
    this.#work.add(done);
    void done.finally(() => this.#work.delete(done));
  }

  #of(name: string): Running[] {
    return this.#running.get(name) ?? [];
  }
}

const preStopMs = ({ spec }: V1PodTemplateSpec): number => {
  const [first] = spec?.containers ?? [];
  const seconds = first?.lifecycle?.preStop?.sleep?.seconds;
  return seconds === undefined ? GRACE_MS : seconds * 1000;
};

type Named = { name: string; namespace: string; workload: string };

function shapeOf({ metadata, spec }: V1PodTemplateSpec, named: Named): Omit<PodShape, "address"> {
  const containers = spec?.containers ?? [];
  const program = containers.map((one) => programOf(one, spec?.volumes ?? [], named)).find((one) => one !== undefined);
  return {
    ...named,
    account: spec?.serviceAccountName ?? "default",
    labels: (metadata?.labels ?? {}) as Labels,
    containers: containers.map(({ name, image = "", ports }) => ({ name, image, ...(ports && { ports }) })),
    kind: containers.some(({ name }) => name === PROXY.name) ? "sidecar" : "none",
    app: named.workload,
    ...(program && { program }),
    isManaged: true,
  };
}

/** Undefined for what the bed has no program of: that is the echo application. */
function programOf(container: V1Container, volumes: V1Volume[], named: Named): Program | undefined {
  const { image = "", args = [], env = [], ports = [], readinessProbe } = container;
  if (!image.startsWith(`${IMAGE_OF_KEYWAY}:`)) return undefined;
  const fields: Record<string, string> = { "metadata.name": named.name, "metadata.namespace": named.namespace };
  const values = env.map(({ name, value, valueFrom }) => [
    name,
    value ?? fields[valueFrom?.fieldRef?.fieldPath ?? ""] ?? "",
  ]);
  const { path = "/", port } = readinessProbe?.httpGet ?? {};
  const number = typeof port === "number" ? port : ports.find(({ name }) => name === `${port}`)?.containerPort;
  return {
    command: [process.execPath, MAIN, ...args],
    env: Object.fromEntries(values),
    tokens: tokensOf(container, volumes),
    readiness: { path, port: number ?? 80 },
  };
}

/** The audiences of projected tokens, by their paths in the container. */
function tokensOf({ volumeMounts = [] }: V1Container, volumes: V1Volume[]): Record<string, string> {
  const tokens = volumeMounts.flatMap(({ name, mountPath }) => {
    const sources = volumes.find((volume) => volume.name === name)?.projected?.sources ?? [];
    return sources.flatMap(({ serviceAccountToken: token }) =>
      token?.audience === undefined ? [] : [[`${mountPath}/${token.path}`, token.audience]],
    );
  });
  return Object.fromEntries(tokens);
}
