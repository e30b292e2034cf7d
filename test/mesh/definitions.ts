// Keyway's custom resources, as the installer's command puts them into a cluster.
import { customResources } from "../../installer/manifests/crds.ts";
import { Cluster } from "../../shared/cluster/cluster.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import { mesh } from "./bed/shared.ts";
import { until } from "./bed/until.ts";

/** The administrator's own way to the cluster. */
export function connect(fieldManager: string, signal = new AbortController().signal): Promise<Cluster> {
  return Cluster.connect({ kubeconfig: mesh.kubeconfig }, {}, { signal, fieldManager, rightsHint: "ask" });
}

/** Resolves once the API server serves them. */
export async function applyDefinitions(): Promise<void> {
  const cluster = await connect("keyway");
  for (const one of customResources()) {
    await cluster.apply({ ...one, metadata: { ...one.metadata, namespace: "" } } as KubeObject, { force: true });
  }
  await until("the API server to serve Sandboxes and Routes", async () => {
    const served = (await cluster.resources("keyway.dev", "v1alpha1")).map(({ name }) => name);
    return served.includes("sandboxes/status") && served.includes("routes/status");
  });
}
