// A pod of the mesh: a network namespace with an application, a relay into it and a proxy.
import { mkdir, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { Api } from "./api.ts";
import { type Answer, type Call, type GrpcAnswer, grpc, http } from "./client.ts";
import { putPod } from "./cluster.ts";
import { type Configuration, configurationOf } from "./configuration.ts";
import { CONTROL_NAMES } from "./control.ts";
import { createNamespace, namespaceOf, removeNamespace } from "./network.ts";
import * as objects from "./objects.ts";
import { APP_GRPC_PORT, PROXY_ADMIN_PORT, PROXY_READY_PORT } from "./ports.ts";
import { type ProxyKind, redirect, startProxy } from "./proxy.ts";
import { dial } from "./relay.ts";
import type { Run } from "./run.ts";
import { serviceAddress } from "./services.ts";
import { startUnit, unitLog } from "./unit.ts";
import { until } from "./until.ts";

export type PodShape = objects.PodShape & { kind: ProxyKind };

export class Pod {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly labels: objects.Labels;
  /** Of the network, as `ip netns exec` takes it. */
  readonly network: string;
  readonly directory: string;
  readonly #run: Run;
  readonly #api: Api;
  readonly #shape: PodShape;

  constructor(run: Run, api: Api, shape: PodShape) {
    this.#run = run;
    this.#api = api;
    this.#shape = shape;
    this.name = shape.name;
    this.namespace = shape.namespace;
    this.address = shape.address;
    this.labels = shape.labels;
    this.network = namespaceOf(run, `${shape.namespace}.${shape.name}`);
    this.directory = join(run.directory, "pods", `${shape.namespace}.${shape.name}`);
  }

  async start(): Promise<void> {
    const { kind, address } = this.#shape;
    await mkdir(this.directory, { recursive: true });
    await Promise.all([
      createNamespace(this.#run, this.network, Number(address.split(".")[3]), CONTROL_NAMES),
      this.#register(),
    ]);
    const app = kind === "sidecar" ? [this.name] : [];
    await startUnit({
      name: "inside",
      directory: this.directory,
      namespace: this.network,
      command: [process.execPath, join(import.meta.dirname, "inside.ts"), this.#relay, ...app],
    });
    if (kind === "sidecar") await redirect(this.network);
    const [token, root] = await Promise.all([
      this.#api.token(this.namespace, this.#shape.account, "istio-ca", this.name),
      this.#rootCertificate(),
    ]);
    const { directory, network: namespace } = this;
    await startProxy({ run: this.#run, kind, shape: this.#shape, namespace, directory, token, root });
    const ready = `http://${address}:${PROXY_READY_PORT}/healthz/ready`;
    await until(`the proxy of ${this.name}, whose log is ${directory}/proxy.log`, async () => (await fetch(ready)).ok);
    await putPod(this.#api, this.#shape, true);
  }

  /** Ends all that runs in it, and deletes the Pod object. Its Deployment and account stay. */
  async stop(): Promise<void> {
    await this.#api.delete({ apiVersion: "v1", kind: "Pod", metadata: { name: this.name, namespace: this.namespace } });
    await removeNamespace(this.network);
    await rm(this.directory, { recursive: true });
  }

  /** A connection made from inside the pod. */
  dial(port: number, host?: string): Socket {
    return dial(this.#relay, port, host);
  }

  /** A request as the pod's application would send it: `host` is NAME[.NAMESPACE][:PORT] of a service, or an address. */
  async request(call: Call): Promise<Answer> {
    const { address, port } = await serviceAddress(this.#api, call.host, this);
    return await http(this.dial(port, address), call);
  }

  async grpc(call: Omit<Call, "method" | "body">, messages = ["hello"]): Promise<GrpcAnswer> {
    const { address, port } = await serviceAddress(this.#api, call.host, this, APP_GRPC_PORT);
    return await grpc(this.dial(port, address), call, messages);
  }

  /** What the admin interface of the pod's Envoy answers. */
  async admin(path: string, method = "GET"): Promise<string> {
    const answer = await http(this.dial(PROXY_ADMIN_PORT), { host: "localhost", path, method });
    if (answer.status !== 200) throw new Error(`${this.name}: ${path}: ${answer.status} ${answer.body}`);
    return answer.body;
  }

  /** What the pod's Envoy runs with, to be compared with what it was or with another's. */
  async configuration(): Promise<Configuration> {
    return configurationOf(await this.admin("/config_dump"));
  }

  /** What the agent and its Envoy have written. */
  async proxyLog(): Promise<string> {
    return await unitLog({ name: "proxy", directory: this.directory });
  }

  get #relay(): string {
    return join(this.directory, "relay");
  }

  async #register(): Promise<void> {
    const { namespace, account } = this.#shape;
    await this.#api.apply(objects.namespaceObject(namespace));
    await this.#api.apply(objects.accountObject(namespace, account), objects.deploymentObject(this.#shape));
    await putPod(this.#api, this.#shape, false);
  }

  /** istiod writes it into every namespace. */
  async #rootCertificate(): Promise<string> {
    const path = `/api/v1/namespaces/${this.namespace}/configmaps/istio-ca-root-cert`;
    return await until("istiod's root certificate", async () => {
      const { data } = (await this.#api.get(path)) as { data: Record<string, string> };
      return data["root-cert.pem"];
    });
  }
}
