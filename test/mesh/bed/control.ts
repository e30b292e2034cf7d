// The control plane as plain processes in one namespace: etcd, the API server, a stand-in for the kubelet, istiod.
import { generateKeyPairSync } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { etcd } from "../../../scripts/parts/etcd.ts";
import { istio } from "../../../scripts/parts/istio.ts";
import { kubeApiserver } from "../../../scripts/parts/kube-apiserver.ts";
import { ADMIN_TOKEN, Api, certificateKeyOf, certificateOf } from "./api.ts";
import { CONTROL_LABEL, namespaceOf } from "./network.ts";
import { API_PORT } from "./ports.ts";
import { controlAddress, type Run } from "./run.ts";
import { startUnit, stopUnit } from "./unit.ts";
import { until } from "./until.ts";

const ETCD = "http://127.0.0.1:2379";
const ISTIOD_READY = 8080;

/** The names of the control plane that pods resolve. */
export const CONTROL_NAMES = ["istiod.istio-system.svc", "istiod.istio-system.svc.cluster.local"];

/** The name under which the administrator's kubeconfig lies in the run's directory. */
export const KUBECONFIG = "kubeconfig";

export class Control {
  readonly #run: Run;
  readonly #directory: string;

  constructor(run: Run) {
    this.#run = run;
    this.#directory = join(run.directory, "control");
  }

  async startApiServer(): Promise<Api> {
    await mkdir(this.#directory, { mode: 0o700 });
    await this.#writeCredentials();
    await this.#start("etcd", [
      await etcd(),
      `--data-dir=${join(this.#directory, "etcd-data")}`,
      `--listen-client-urls=${ETCD}`,
      `--advertise-client-urls=${ETCD}`,
    ]);
    await this.#start("kube-apiserver", await this.#apiServerCommand());
    const api = await until("the API server's certificate", () => new Api(this.#run));
    await this.#apiServerReady(api);
    await writeFile(join(this.#run.directory, KUBECONFIG), api.kubeconfig(ADMIN_TOKEN), { mode: 0o600 });
    await this.#start("kubelet", [
      process.execPath,
      join(import.meta.dirname, "kubelet.ts"),
      controlAddress(this.#run),
      certificateOf(this.#run),
      certificateKeyOf(this.#run),
      join(this.#run.directory, "pods"),
    ]);
    return api;
  }

  async startIstiod(): Promise<void> {
    const { discovery } = await istio();
    const options = ["--monitoringAddr=:15014", "--domain=cluster.local", "--keepaliveMaxServerConnectionAge=30m"];
    const kubeconfig = join(this.#run.directory, KUBECONFIG);
    await this.#start("istiod", [discovery, "discovery", `--kubeconfig=${kubeconfig}`, ...options], {
      POD_NAME: "istiod",
      POD_NAMESPACE: "istio-system",
      SERVICE_ACCOUNT: "istiod",
      CLUSTER_ID: "Kubernetes",
      REVISION: "default",
      VALIDATION_WEBHOOK_CONFIG_NAME: "istio-validator-istio-system",
      // Both add filters that only Istio's own build of Envoy has.
      PILOT_ENABLE_ALPN_FILTER: "false",
      PILOT_ENABLE_METADATA_EXCHANGE: "false",
    });
    await until("istiod", async () => (await fetch(`http://${controlAddress(this.#run)}:${ISTIOD_READY}/ready`)).ok);
  }

  /** Proxies keep serving what they have while it is away. */
  async restartIstiod(): Promise<void> {
    await this.stopIstiod();
    await this.startIstiod();
  }

  async stopIstiod(): Promise<void> {
    await stopUnit({ name: "istiod", directory: this.#directory });
  }

  /** It is killed: asked to end, it would stop listening and then wait for all watches to end by themselves. */
  async restartApiServer(api: Api): Promise<void> {
    await stopUnit({ name: "kube-apiserver", directory: this.#directory }, "SIGKILL");
    await this.#start("kube-apiserver", await this.#apiServerCommand());
    await this.#apiServerReady(api);
  }

  async #writeCredentials(): Promise<void> {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    await writeFile(join(this.#directory, "accounts.pub"), publicKey);
    await writeFile(join(this.#directory, "accounts.key"), privateKey, { mode: 0o600 });
    await writeFile(join(this.#directory, "tokens"), `${ADMIN_TOKEN},administrator,administrator,system:masters\n`);
  }

  async #apiServerCommand(): Promise<string[]> {
    return [
      await kubeApiserver(),
      `--etcd-servers=${ETCD}`,
      `--advertise-address=${controlAddress(this.#run)}`,
      `--secure-port=${API_PORT}`,
      "--cert-dir=.",
      "--service-cluster-ip-range=10.96.0.0/16",
      "--service-account-issuer=https://kubernetes.default.svc",
      "--service-account-key-file=accounts.pub",
      "--service-account-signing-key-file=accounts.key",
      "--token-auth-file=tokens",
      "--authorization-mode=RBAC",
      "--kubelet-preferred-address-types=InternalIP",
      // Web hooks are called at their endpoints: no kube-proxy stands behind the service addresses.
      "--enable-aggregator-routing=true",
    ];
  }

  async #apiServerReady(api: Api): Promise<void> {
    await until("the API server", () => api.ready());
  }

  async #start(name: string, command: string[], env: Record<string, string> = {}): Promise<void> {
    const namespace = namespaceOf(this.#run, CONTROL_LABEL);
    await startUnit({ name, directory: this.#directory, namespace, command, env });
  }
}
