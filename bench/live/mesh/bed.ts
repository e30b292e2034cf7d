// A mesh for the benchmarks: callers whose proxies choose between two services, a route server, and what a change costs on the way.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run as command } from "../../../scripts/parts/command.ts";
import { ROOT } from "../../../scripts/proxy/bootstrap.ts";
import type { Mesh } from "../../../test/mesh/bed/mesh.ts";
import { ECHO_PORTS } from "../../../test/mesh/bed/mesh.ts";
import type { Pod } from "../../../test/mesh/bed/pod.ts";
import { APP_HTTP_PORT, DISCOVERY_PORT } from "../../../test/mesh/bed/ports.ts";
import { ROUTE_SERVER_PORT, ROUTE_SERVER_UNIT, serveRoutes } from "../../../test/mesh/bed/route-server.ts";
import { serviceAddress } from "../../../test/mesh/bed/services.ts";
import { startMesh } from "../../../test/mesh/bed/start.ts";
import { unitPid } from "../../../test/mesh/bed/unit.ts";
import { cpuSeconds } from "../../lib/envoy.ts";
import { Probe } from "../probe.ts";

export const NAMESPACE = "bench";
export const BASELINE = "reviews";
export const TARGET = "sandbox";
/** The label of all callers. */
export const CALLERS = { role: "caller" };
export const HTTP_PORTS = ECHO_PORTS.slice(0, 1);

/** Connections for each caller, as many as its proxy has workers. */
const PROBES = 2;

export type Used = {
  /** CPU seconds. */
  istiod: number;
  apiServer: number;
  server: number;
  /** Received by all callers from istiod and from the route server, with TCP's own. */
  bytes: number;
};

export class MeshBed {
  readonly mesh: Mesh;
  readonly callers: Pod[];
  readonly server: Pod;
  readonly #scratch: string;

  constructor(mesh: Mesh, callers: Pod[], server: Pod, scratch: string) {
    this.mesh = mesh;
    this.callers = callers;
    this.server = server;
    this.#scratch = scratch;
  }

  /** Runs a command of Keyway against the mesh. */
  async keyway(...args: string[]): Promise<string> {
    const env = { ...process.env, KUBECONFIG: this.mesh.kubeconfig };
    return (await command(process.execPath, [join(ROOT, "installer/main.ts"), ...args], { env })).trim();
  }

  /** Path of a file with the text. */
  async file(name: string, text: string): Promise<string> {
    const path = join(this.#scratch, name);
    await writeFile(path, text);
    return path;
  }

  async probes(): Promise<Probe[]> {
    const { address, port } = await serviceAddress(this.mesh.api, `${BASELINE}.${NAMESPACE}`);
    const connections = this.callers.flatMap((pod) => Array.from({ length: PROBES }, () => pod.dial(port, address)));
    return connections.map((socket) => new Probe(socket, `${BASELINE}:${APP_HTTP_PORT}`, `x-app: ${TARGET}`));
  }

  async used(): Promise<Used> {
    const control = join(this.mesh.directory, "control");
    const [istiod, apiServer, etcd, server] = await Promise.all([
      unitPid({ name: "istiod", directory: control }),
      unitPid({ name: "kube-apiserver", directory: control }),
      unitPid({ name: "etcd", directory: control }),
      unitPid({ name: ROUTE_SERVER_UNIT, directory: this.server.directory }),
    ]);
    const received = await Promise.all(this.callers.map(receivedBy));
    return {
      istiod: cpuSeconds(istiod),
      apiServer: cpuSeconds(apiServer) + cpuSeconds(etcd),
      server: cpuSeconds(server),
      bytes: received.reduce((sum, bytes) => sum + bytes),
    };
  }
}

export async function withMesh<T>(callers: number, work: (bed: MeshBed) => Promise<T>): Promise<T> {
  const { mesh, stop } = await startMesh();
  const scratch = await mkdtemp(join(tmpdir(), "keyway-bench-"));
  try {
    const pod = (name: string, labels = {}) => mesh.pod({ name, namespace: NAMESPACE, labels });
    const service = (name: string, ports = HTTP_PORTS) =>
      mesh.service({ name, namespace: NAMESPACE, selector: { app: name }, ports });
    const [server] = await Promise.all([pod(ROUTE_SERVER_UNIT), pod(BASELINE), pod(TARGET)]);
    const started = await Promise.all(Array.from({ length: callers }, (_, index) => pod(`caller-${index}`, CALLERS)));
    await Promise.all([
      service(BASELINE),
      service(TARGET),
      service(ROUTE_SERVER_UNIT, [{ name: "http", port: ROUTE_SERVER_PORT }]),
      serveRoutes(server),
      ...started.map(count),
    ]);
    await mesh.waitForProxies();
    return await work(new MeshBed(mesh, started, server, scratch));
  } finally {
    await rm(scratch, { recursive: true });
    await stop();
  }
}

const SOURCES = [DISCOVERY_PORT, ROUTE_SERVER_PORT];
const iptables = ({ network }: Pod, ...args: string[]) =>
  command("ip", ["netns", "exec", network, "iptables", "-w", ...args]);

/** Rules without a target: the kernel counts what they match. */
async function count(pod: Pod): Promise<void> {
  for (const port of SOURCES) await iptables(pod, "-I", "INPUT", "-p", "tcp", "--sport", `${port}`);
}

async function receivedBy(pod: Pod): Promise<number> {
  const rules = await iptables(pod, "-nvxL", "INPUT");
  const counted = rules.split("\n").filter((line) => line.includes(" spt:"));
  return counted.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[1]), 0);
}
