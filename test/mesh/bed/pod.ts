// A pod of the mesh: a network namespace with an application, a relay into it and a proxy.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { dirname, join } from "node:path";
import { type Api, certificateOf } from "./api.ts";
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
import { startUnit, stopUnit, unitLog } from "./unit.ts";
import { until } from "./until.ts";

export type PodShape = objects.PodShape & {
  /** `none`: without a proxy. */
  kind: ProxyKind | "none";
  /** What the application calls itself; the pod's name unless said. */
  app?: string;
  /** Runs in place of the echo application. */
  program?: Program;
  /** Its Deployment is somebody else's, and there. */
  isManaged?: boolean;
};

export type Program = {
  command: string[];
  env: Record<string, string>;
  /** The account's tokens for certain audiences, by the paths of the files in which the program finds them. */
  tokens: Record<string, string>;
  /** Asked for at the pod's address until it answers: the pod is ready then. */
  readiness: { path: string; port: number };
};

/** Where programs in pods find the account that they run as. */
const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

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
    const { kind, address, app: name = this.name, program } = this.#shape;
    await mkdir(this.directory, { recursive: true });
    await Promise.all([
      createNamespace(this.#run, this.network, Number(address.split(".")[3]), CONTROL_NAMES),
      this.#register(),
    ]);
    const app = kind === "sidecar" && program === undefined ? [name] : [];
    await startUnit({
      name: "inside",
      directory: this.directory,
      namespace: this.network,
      command: [process.execPath, join(import.meta.dirname, "inside.ts"), this.#relay, ...app],
    });
    if (program) await this.#startProgram(program);
    if (kind !== "none") await this.#startProxy(kind);
    await putPod(this.#api, this.#shape, true);
  }

  async #startProxy(kind: ProxyKind): Promise<void> {
    if (kind === "sidecar") await redirect(this.network);
    const [token, root] = await Promise.all([
      this.#api.token(this.namespace, this.#shape.account, "istio-ca", this.name),
      this.#rootCertificate(),
    ]);
    const { directory, network: namespace } = this;
    await startProxy({ run: this.#run, kind, shape: this.#shape, namespace, directory, token, root });
    const ready = `http://${this.address}:${PROXY_READY_PORT}/healthz/ready`;
    await until(`the proxy of ${this.name}, whose log is ${directory}/proxy.log`, async () => (await fetch(ready)).ok);
  }

  /** Runs it with what a kubelet mounts and sets, until it says that it is ready. */
  async #startProgram({ command, env, tokens, readiness }: Program): Promise<void> {
    const token = (audience?: string) => this.#api.token(this.namespace, this.#shape.account, audience, this.name);
    const files = [
      { path: `${ACCOUNT}/token`, text: await token() },
      { path: `${ACCOUNT}/namespace`, text: this.namespace },
      { path: `${ACCOUNT}/ca.crt`, text: await readFile(certificateOf(this.#run), "utf8") },
    ];
    for (const [path, audience] of Object.entries(tokens)) files.push({ path, text: await token(audience) });
    for (const { path, text } of files) {
      await mkdir(dirname(path), { recursive: true });
      await mkdir(join(this.directory, dirname(path)), { recursive: true });
      await writeFile(join(this.directory, path), text);
    }
    const folders = [...new Set(files.map(({ path }) => dirname(path)))];
    const mounts = folders.map((folder) => `mount --bind ${join(this.directory, folder)} ${folder}`);
    const { hostname, port } = new URL(this.#api.server);
    await startUnit({
      ...this.#program,
      namespace: this.network,
      command: ["sh", "-ec", [...mounts, 'exec "$@"'].join("\n"), "sh", ...command],
      env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port, ...env },
    });
    const ready = `http://${this.address}:${readiness.port}${readiness.path}`;
    try {
      await until(`the program of ${this.name}`, async () => (await fetch(ready)).ok);
    } catch (thrown) {
      throw new Error(`${thrown}; it has written ${(await this.programLog()).slice(-2000)}`, { cause: thrown });
    }
  }

  /** Ends the program without a warning and starts it anew, as a kubelet does with a container that has crashed. */
  async crash(): Promise<void> {
    const { program } = this.#shape;
    if (program === undefined) throw new Error(`${this.name} has no program of its own`);
    await stopUnit(this.#program, "SIGKILL");
    const told = (ready: boolean) =>
      until("the API server", () => putPod(this.#api, this.#shape, ready).then(() => true));
    await told(false);
    await this.#startProgram(program);
    await told(true);
  }

  /** Asks the program to end, and waits until it has. */
  async end(): Promise<void> {
    if (this.#shape.program) await stopUnit(this.#program);
  }

  /** Ends all that runs in it, and deletes the Pod object. Its Deployment and account stay. */
  async stop(): Promise<void> {
    await this.#api.deletePod(this.namespace, this.name, 0);
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

  /** What the program has written. */
  async programLog(): Promise<string> {
    return await unitLog(this.#program);
  }

  get #program() {
    return { name: "program", directory: this.directory };
  }

  get #relay(): string {
    return join(this.directory, "relay");
  }

  async #register(): Promise<void> {
    const { namespace, account, isManaged } = this.#shape;
    if (!isManaged) {
      await this.#api.apply(objects.namespaceObject(namespace));
      await this.#api.apply(objects.accountObject(namespace, account), objects.deploymentObject(this.#shape));
    }
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
