// A pod's proxy: Istio's agent, which starts a real Envoy, in the pod's namespace, as the injector would have set it up. The
// proxy's user sees the programs and its modules at places of its own, wherever the cache of this machine is.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run as command } from "../../../scripts/parts/command.ts";
import { envoy } from "../../../scripts/parts/envoy.ts";
import { istio } from "../../../scripts/parts/istio.ts";
import { certificateOf } from "./api.ts";
import { NODE, type PodShape } from "./objects.ts";
import { DISCOVERY_PORT } from "./ports.ts";
import type { Run } from "./run.ts";
import { startUnit } from "./unit.ts";

export type ProxyKind = "sidecar" | "router";

/** Of each Envoy. */
export const WORKERS = 2;

const PROXY_USER = "1337";
/** Where the agent keeps fetched modules; each pod sees a directory of its own there. */
const MODULES = "/var/lib/istio/data";
const AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";

export type ProxyInput = {
  run: Run;
  kind: ProxyKind;
  shape: PodShape;
  namespace: string;
  directory: string;
  /** The account's token for istiod, and istiod's root certificate. */
  token: string;
  root: string;
};

/** Sends the pod's traffic through the proxy, all of it but the agent's own ports. */
export async function redirect(namespace: string): Promise<void> {
  const { agent } = await istio();
  const options = ["-p", "15001", "-z", "15006", "-u", PROXY_USER, "-m", "REDIRECT", "-i", "*", "-b", "*"];
  await command("ip", ["netns", "exec", namespace, agent, "istio-iptables", ...options, "-d", "15090,15021,15020"]);
}

export async function startProxy(input: ProxyInput): Promise<void> {
  const { kind, shape, directory, namespace, run } = input;
  await mkdir(MODULES, { recursive: true });
  await writeVolumes(input);
  await command("chown", ["-R", `${PROXY_USER}:${PROXY_USER}`, directory]);
  const script = [
    `cat ${AUTHORITIES} ${certificateOf(run)} > authorities`,
    `mount --bind modules ${MODULES}`,
    `mount --bind ${dirname((await istio()).agent)} programs/istio`,
    `mount --bind ${dirname(await envoy())} programs/envoy`,
    `exec setpriv --reuid=${PROXY_USER} --regid=${PROXY_USER} --clear-groups "$@"`,
  ];
  const options = [`--domain=${shape.namespace}.svc.cluster.local`, "--proxyLogLevel=warning"];
  const proxy = ["programs/istio/pilot-agent", "proxy", kind, ...options];
  await startUnit({
    name: "proxy",
    directory,
    namespace,
    command: ["sh", "-ec", script.join("\n"), "sh", ...proxy],
    env: proxyEnvironment(shape),
  });
}

/** What the injected container finds in its volumes. */
async function writeVolumes({ directory, shape, token, root }: ProxyInput): Promise<void> {
  const labels = Object.entries(shape.labels).map(([name, value]) => `${name}="${value}"\n`);
  const files = {
    "var/run/secrets/tokens/istio-token": token,
    "var/run/secrets/istio/root-cert.pem": root,
    "etc/istio/pod/labels": labels.join(""),
    "etc/istio/pod/annotations": "",
    "etc/istio/proxy/.keep": "",
    "modules/.keep": "",
    "programs/istio/.keep": "",
    "programs/envoy/.keep": "",
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(directory, path, ".."), { recursive: true });
    await writeFile(join(directory, path), text);
  }
}

function proxyEnvironment({ name, namespace, workload, account, address }: PodShape): Record<string, string> {
  const istiod = `istiod.istio-system.svc:${DISCOVERY_PORT}`;
  return {
    PROXY_CONFIG: JSON.stringify({
      binaryPath: "programs/envoy/envoy",
      configPath: "./etc/istio/proxy",
      proxyBootstrapTemplatePath: "programs/istio/envoy_bootstrap.json",
      discoveryAddress: istiod,
      concurrency: WORKERS,
      terminationDrainDuration: "1s",
      // Istio's own is 45 s: so long old connections keep what a listener had before.
      drainDuration: "5s",
    }),
    CA_ADDR: istiod,
    POD_NAME: name,
    POD_NAMESPACE: namespace,
    SERVICE_ACCOUNT: account,
    INSTANCE_IP: address,
    SSL_CERT_FILE: "authorities",
    ISTIO_META_CLUSTER_ID: "Kubernetes",
    ISTIO_META_INTERCEPTION_MODE: "REDIRECT",
    ISTIO_META_MESH_ID: "cluster.local",
    ISTIO_META_NODE_NAME: NODE,
    ISTIO_META_OWNER: `kubernetes://apis/apps/v1/namespaces/${namespace}/deployments/${workload}`,
    ISTIO_META_WORKLOAD_NAME: workload,
    TRUST_DOMAIN: "cluster.local",
  };
}
