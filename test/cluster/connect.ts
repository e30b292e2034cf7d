import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { Cluster } from "../../shared/cluster/cluster.ts";
import type { Env } from "../../shared/cluster/kubeconfig.ts";
import { type ApiServer, startApiServer } from "../double/api-server.ts";
import { kubeconfig } from "../double/kubeconfig.ts";

/** An empty folder for one test. */
export async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "keyway-cluster-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** A file with this text, in a folder of the test's own. */
export async function fileWith(text: string, name = "config"): Promise<string> {
  const file = join(await scratch(), name);
  await writeFile(file, text);
  return file;
}

/** An API server for one test. */
export async function server(options: Parameters<typeof startApiServer>[0] = {}): Promise<ApiServer> {
  const api = await startApiServer(options);
  onTestFinished(() => api.close());
  return api;
}

export interface Setting {
  signal?: AbortSignal;
  user?: object;
  cluster?: object;
  env?: Env;
}

/** A client of the double, by way of a kubeconfig file. */
export async function connect(
  api: ApiServer,
  { signal = new AbortController().signal, user, cluster, env = {} }: Setting = {},
): Promise<Cluster> {
  const file = await fileWith(kubeconfig(api, user, cluster));
  return Cluster.connect({ kubeconfig: file }, env, { signal, fieldManager: "tester", rightsHint: "ask for rights" });
}

export const plugin = {
  apiVersion: "extensions.istio.io/v1alpha1",
  kind: "WasmPlugin",
  metadata: { name: "keyway", namespace: "demo" },
};

export function pod(name: string, labels: Record<string, string> = { app: "reviews" }, rest: object = {}) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "demo", uid: `uid-of-${name}`, labels },
    spec: { containers: [{ name: "app" }, { name: "istio-proxy" }] },
    status: { phase: "Running" },
    ...rest,
  };
}
