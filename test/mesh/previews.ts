// Sandboxes as their users have them: workloads with Services, a route server that `keyway server install` has put into the cluster, proxies that follow it, and the
// statuses as they come.

import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxResource, SandboxSpec } from "../../routes/model/sandbox.ts";
import { SANDBOX_API, SANDBOX_KIND } from "../../routes/model/sandbox.ts";
import { Cluster } from "../../shared/cluster/cluster.ts";
import { Informer } from "../../shared/cluster/informer.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import { runCli } from "../cli/run.ts";
import type { Resource } from "./bed/api.ts";
import { type Deployments, IMAGE_OF_KEYWAY } from "./bed/deployments.ts";
import type { Mesh } from "./bed/mesh.ts";
import { ECHO_PORTS } from "./bed/mesh.ts";
import { accountObject, deploymentObject, type Labels, namespaceObject, PROXY, serviceObject } from "./bed/objects.ts";
import { until } from "./bed/until.ts";

/** Made before the server, and left: a namespace that is deleted never goes where no controller manager runs. */
export const SERVER_NAMESPACE = "previews-server";
const SERVER_IMAGE = `${IMAGE_OF_KEYWAY}:bed`;
/** As `--server` names it. */
const SERVER = `keyway.${SERVER_NAMESPACE}`;

export interface WorkloadOptions {
  replicas?: number;
  labels?: Labels;
  /** The Service by which it is called, which has the Deployment's name unless another is said; false for none. */
  service?: string | false;
}

/** The Deployment of the echo application with a proxy, and its Service. */
export function workloadObjects(namespace: string, name: string, options: WorkloadOptions = {}): Resource[] {
  const { replicas = 1, labels = { app: name, version: "v1" }, service = name } = options;
  const containers = [{ name: "app", image: `registry.example/${name}:1` }, PROXY];
  const shape = { name, namespace, workload: name, account: name, labels, address: "", containers };
  const deployment = deploymentObject(shape) as Resource & { spec: object };
  return [
    accountObject(namespace, name),
    { ...deployment, spec: { ...deployment.spec, replicas } },
    ...(service ? [serviceObject(namespace, service, { app: `${labels.app}` }, ECHO_PORTS)] : []),
  ];
}

/** Installs two route servers, whose pods can be asked for by the Deployment's name. */
export async function installServers(mesh: Mesh, ...flags: string[]): Promise<Deployments> {
  await mesh.api.apply(namespaceObject(SERVER_NAMESPACE));
  const servers = mesh.manage(SERVER_NAMESPACE);
  await command(mesh, "server", "install", "-n", SERVER_NAMESPACE, "--image", SERVER_IMAGE, ...flags);
  return servers;
}

/** Has the proxies of the selected pods follow the servers. */
export async function followServers(
  mesh: Mesh,
  { namespace, module }: { namespace: string; module: string },
  ...flags: string[]
): Promise<void> {
  await command(mesh, "install", "-n", namespace, "--insecure", "--module", module, "--server", SERVER, ...flags);
}

/** Publishes a module to the mesh's registry; its URL by digest. */
export async function publish(mesh: Mesh, module: string): Promise<string> {
  const to = `oci://${mesh.registry.host}/keyway:previews`;
  return (await command(mesh, "publish", "--insecure", "--module", module, to)).trim();
}

/** What it prints. Fails with what a person would have read. */
async function command({ kubeconfig }: Mesh, ...args: string[]): Promise<string> {
  const { code, out, err } = await runCli(args, { env: { KUBECONFIG: kubeconfig } });
  if (code !== 0) throw new Error(`keyway ${args.join(" ")}: exit code ${code}\n${err}`);
  return out;
}

/** The Sandboxes of a namespace, made and watched as the cluster's administrator. */
export class Sandboxes {
  readonly cluster: Cluster;
  readonly #namespace: string;
  readonly #informer: Informer<KubeObject & SandboxResource>;
  readonly #ended: AbortController;
  readonly #listeners = new Set<() => void>();

  private constructor(cluster: Cluster, namespace: string, ended: AbortController) {
    this.cluster = cluster;
    this.#namespace = namespace;
    this.#ended = ended;
    this.#informer = new Informer<KubeObject & SandboxResource>(cluster, {
      ...{ apiVersion: SANDBOX_API, kind: SANDBOX_KIND, namespace },
      onChange: () => {
        for (const listener of this.#listeners) listener();
      },
    });
  }

  static async follow({ kubeconfig }: Mesh, namespace: string): Promise<Sandboxes> {
    const ended = new AbortController();
    const options = { signal: ended.signal, fieldManager: "trial", rightsHint: "ask" };
    const sandboxes = new Sandboxes(await Cluster.connect({ kubeconfig }, {}, options), namespace, ended);
    await sandboxes.#informer.start();
    return sandboxes;
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#informer.ended();
  }

  get(name: string): SandboxResource | undefined {
    return this.#informer.get(this.#namespace, name);
  }

  /** Also while the API server is away: it is made as soon as that is back. */
  async apply(name: string, spec: SandboxSpec): Promise<void> {
    const sandbox = {
      apiVersion: SANDBOX_API,
      kind: SANDBOX_KIND,
      metadata: { name, namespace: this.#namespace },
      spec,
    };
    await until("the API server", () => this.cluster.apply(sandbox as KubeObject, { force: true }));
  }

  async delete(name: string): Promise<void> {
    const ref = { apiVersion: SANDBOX_API, kind: SANDBOX_KIND, metadata: { name, namespace: this.#namespace } };
    await until("the API server", () => this.cluster.remove(ref).then(() => true));
  }

  async clear(): Promise<void> {
    const names = [...this.#informer.values()].map(({ metadata }) => metadata.name);
    await Promise.all(names.map((name) => this.delete(name)));
    await this.until("all Sandboxes to be gone", () => this.#informer.size === 0);
  }

  /** Resolves once the status says so of the Sandbox as it is now. */
  async inForce(name: string, seconds = 60): Promise<void> {
    await this.until(`${name} to be in force`, () => isInForce(this.get(name)), seconds);
  }

  async gone(name: string, seconds = 60): Promise<void> {
    await this.until(`${name} to be gone`, () => this.get(name) === undefined, seconds);
  }

  /** Looks after each change. */
  async until(what: string, holds: () => boolean, seconds = 60): Promise<void> {
    const done = Promise.withResolvers<void>();
    const look = () => holds() && done.resolve();
    this.#listeners.add(look);
    look();
    try {
      const late = sleep(seconds * 1000, "late", { ref: false });
      if ((await Promise.race([done.promise, late])) !== "late") return;
    } finally {
      this.#listeners.delete(look);
    }
    const statuses = JSON.stringify(
      [...this.#informer.values()].map(({ metadata, status }) => [metadata.name, status]),
    );
    throw new Error(`waited ${seconds} s in vain for ${what}; the statuses are ${statuses.slice(0, 2000)}`);
  }
}

function isInForce(sandbox: SandboxResource | undefined): boolean {
  const { metadata, status } = sandbox ?? {};
  return ["Resolved", "InForce"].every((type) =>
    status?.conditions?.some(
      (one) => one.type === type && one.status === "True" && one.observedGeneration === metadata?.generation,
    ),
  );
}
