// The mesh test bed: a real API server, istiod, registry, and pods with real agents and Envoys, as processes of this machine.
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { Api, certificateOf, type Resource } from "./api.ts";
import { type Answer, type Call, http } from "./client.ts";
import { type Control, KUBECONFIG } from "./control.ts";
import { Deployments } from "./deployments.ts";
import { type Dump, dumpCluster } from "./dump.ts";
import { waitForIstiod, waitForWatches } from "./istiod.ts";
import { Load } from "./load.ts";
import { CONTROL_LABEL, namespaceOf } from "./network.ts";
import {
  accountObject,
  ISTIO_SYSTEM,
  type Labels,
  namespaceObject,
  PROXY,
  type ServicePort,
  serviceObject,
  sliceObject,
} from "./objects.ts";
import { Pod, type PodShape } from "./pod.ts";
import { APP_GRPC_PORT, APP_HTTP_PORT, GATEWAY_HTTP_PORT, GATEWAY_HTTPS_PORT } from "./ports.ts";
import { Registry } from "./registry.ts";
import { controlAddress, FIRST_POD, LAST_POD, type Run } from "./run.ts";
import { dropEndpoints, serviceAddress, syncEndpoints } from "./services.ts";
import { waitForProxies } from "./wait.ts";

export type PodOptions = {
  name: string;
  /** Default "demo". */
  namespace?: string;
  /** Added to `app`, which is the service or else the name, and to `version: v1`. */
  labels?: Labels;
  /** A Service that selects by `app`, made when it is not there. */
  service?: string;
  /** The Deployment that the pod seems to come from. Default: the pod's name. */
  workload?: string;
};

export type GatewayOptions = { name: string; namespace?: string; labels?: Labels };

export type ServiceOptions = { name: string; namespace?: string; selector: Labels; ports?: ServicePort[] };

export type Stream = {
  /** The pod that sends. Without one it is a client outside the mesh. */
  from?: Pod;
  /** A pod's address, used instead of the service's: a gateway's, say. */
  to?: Pod;
  host: string;
  path?: string;
  headers?: Record<string, string>;
  /** Each request carries one of these, at random; "" stands for none. */
  keys?: string[];
};

export const ECHO_PORTS: ServicePort[] = [
  { name: "http", port: APP_HTTP_PORT },
  { name: "grpc", port: APP_GRPC_PORT },
];

const GATEWAY_PORTS: ServicePort[] = [
  { name: "http", port: 80, targetPort: GATEWAY_HTTP_PORT },
  { name: "https", port: 443, targetPort: GATEWAY_HTTPS_PORT },
];

export class Mesh {
  readonly directory: string;
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** The administrator's own way to the API server. */
  readonly api: Api;
  /** Path of the certificate that the secure registry and the API server show. */
  readonly certificate: string;
  readonly control: Control;
  /** Plain HTTP, no password. */
  readonly registry: Registry;
  /** TLS that pods trust (NODE_EXTRA_CA_CERTS: `certificate`), and REGISTRY_USER. The same store as `registry`. */
  readonly secureRegistry: Registry;
  readonly #run: Run;
  #endpoints: Promise<void> = Promise.resolve();
  readonly #pods = new Set<Pod>();
  readonly #managers: Deployments[] = [];
  readonly #applied = new Map<string, Resource>();

  constructor(run: Run, control: Control) {
    this.#run = run;
    this.directory = run.directory;
    this.kubeconfig = join(run.directory, KUBECONFIG);
    this.api = new Api(run);
    this.certificate = certificateOf(run);
    this.control = control;
    this.registry = new Registry(run, "plain");
    this.secureRegistry = new Registry(run, "secure");
  }

  /** A pod with a sidecar and the echo application, which calls itself by the pod's name. */
  async pod({ name, namespace = "demo", labels = {}, service, workload = name }: PodOptions): Promise<Pod> {
    const all = { app: service ?? name, version: "v1", ...labels };
    if (service) await this.service({ name: service, namespace, selector: { app: service } });
    const containers = [{ name: "app", image: "bed/echo" }, PROXY];
    return await this.#start({ kind: "sidecar", name, namespace, workload, labels: all, containers });
  }

  /** An ingress gateway with its Service: 80 for the 8080 of its pod, 443 for 8443. */
  async gateway({
    name,
    namespace = ISTIO_SYSTEM,
    labels = { istio: "ingressgateway" },
  }: GatewayOptions): Promise<Pod> {
    const all = { app: name, ...labels };
    await this.service({ name, namespace, selector: all, ports: GATEWAY_PORTS });
    return await this.#start({ kind: "router", name, namespace, workload: name, labels: all, containers: [PROXY] });
  }

  async service({ name, namespace = "demo", selector, ports = ECHO_PORTS }: ServiceOptions): Promise<void> {
    await this.api.apply(namespaceObject(namespace));
    await this.api.apply(serviceObject(namespace, name, selector, ports));
    await this.#syncEndpoints(namespace);
  }

  async stopPod(pod: Pod): Promise<void> {
    this.#pods.delete(pod);
    await pod.stop();
    await this.#syncEndpoints(pod.namespace);
  }

  /** Creates the objects or makes them as given. */
  async apply(...objects: Resource[]): Promise<void> {
    await this.api.apply(...objects);
    for (const object of objects) this.#applied.set(title(object), object);
  }

  /** A Service's endpoints go with it, as the garbage collector would see to. */
  async delete(...objects: Resource[]): Promise<void> {
    const services = objects.filter(({ kind }) => kind === "Service");
    const endpoints = services.map(({ metadata }) =>
      sliceObject(`${metadata?.namespace}`, `${metadata?.name}`, [], []),
    );
    await this.api.delete(...objects, ...endpoints);
    for (const object of objects) this.#applied.delete(title(object));
  }

  /** Gives the Deployments of a namespace their pods from now on: no others may be started there. */
  manage(namespace: string): Deployments {
    const deployments = new Deployments(this.api, namespace, {
      start: (shape) => this.#start(shape),
      stop: (pod) => this.stopPod(pod),
      sync: async () => {
        await this.#syncEndpoints(namespace);
        await dropEndpoints(this.api, namespace);
      },
    });
    this.#managers.push(deployments);
    return deployments;
  }

  /** Takes out the pods and the objects that this process has put in. Namespaces, Services and accounts stay. */
  async clear(): Promise<void> {
    await Promise.all(this.#managers.map((one) => one.stop()));
    await this.delete(...this.#applied.values());
    await Promise.all([...this.#pods].map((pod) => this.stopPod(pod)));
  }

  /** Waits until istiod has heard of what has changed. */
  async waitForIstiod(): Promise<void> {
    await waitForIstiod(this.api, controlAddress(this.#run));
  }

  /** Waits until what has changed has reached the proxies of this process's pods. */
  async waitForProxies(): Promise<void> {
    await this.waitForIstiod();
    await waitForProxies(this.api, [...this.#pods]);
  }

  /** Everything in the cluster, to be compared with what it was. */
  async dump(): Promise<Dump> {
    return await dumpCluster(this.api);
  }

  /** Path of a kubeconfig that speaks as a service account, which is made when it is not there. */
  async kubeconfigFor(namespace: string, account: string): Promise<string> {
    await this.api.apply(namespaceObject(namespace));
    await this.api.apply(accountObject(namespace, account));
    const path = join(this.directory, `kubeconfig.${namespace}.${account}`);
    await writeFile(path, this.api.kubeconfig(await this.api.token(namespace, account)), { mode: 0o600 });
    return path;
  }

  /** A request of a client outside the mesh to an address in it. */
  async requestFromOutside(call: Call): Promise<Answer> {
    const [address = "", port] = call.host.split(":");
    return await http(connect({ host: address, port: Number(port) }), call);
  }

  /** Each stream sends `rate` requests a second until it is stopped, at most for `seconds`. */
  async load(streams: Stream[], { rate = 20, seconds = 120 } = {}): Promise<Load> {
    const control = namespaceOf(this.#run, CONTROL_LABEL);
    const plans = streams.map(async ({ from, to, host, path = "/", headers = {}, keys }) => {
      const place = to ? { address: to.address, port: GATEWAY_HTTP_PORT } : await serviceAddress(this.api, host, from);
      return {
        network: from?.network ?? control,
        plan: { ...place, host, path, headers, ...(keys && { keys }), rate, seconds },
      };
    });
    return new Load(await Promise.all(plans));
  }

  async restartIstiod(): Promise<void> {
    await this.control.restartIstiod();
  }

  /** Resolves once istiod, too, follows it again: else the next test's objects could reach no proxy for a minute. */
  async restartApiServer(): Promise<void> {
    await this.control.restartApiServer(this.api);
    await waitForWatches(this.api, controlAddress(this.#run));
  }

  async #start(shape: Omit<PodShape, "address" | "account"> & { account?: string }): Promise<Pod> {
    const address = `${this.#run.subnet}.${await this.#freeHost()}`;
    const pod = new Pod(this.#run, this.api, { account: shape.workload, ...shape, address });
    this.#pods.add(pod);
    await pod.start();
    await this.#syncEndpoints(shape.namespace);
    return pod;
  }

  /** Takes the next number of the subnet; making the folder fails for all but one. */
  async #freeHost(): Promise<number> {
    for (let host = FIRST_POD; host <= LAST_POD; host++) {
      const taken = await mkdir(join(this.directory, "hosts", `${host}`)).catch(() => "taken");
      if (!taken) return host;
    }
    throw new Error(`this mesh has had ${LAST_POD - FIRST_POD + 1} pods, as many as its subnet has addresses`);
  }

  /** One after the other, so that the last one has seen all that came before it. */
  async #syncEndpoints(namespace: string): Promise<void> {
    const sync = () => syncEndpoints(this.api, namespace);
    this.#endpoints = this.#endpoints.then(sync, sync);
    await this.#endpoints;
  }
}

const title = ({ kind, metadata }: Resource) => `${kind} ${metadata?.namespace ?? ""}/${metadata?.name}`;
