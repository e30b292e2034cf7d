// A store whose routes are in the double of an API server.
import { expect } from "vitest";
import { KubernetesStore } from "../../server/store/kubernetes/store.ts";
import type { Store } from "../../server/store/store.ts";
import { connect, server } from "../cluster/connect.ts";
import type { ApiServer } from "../double/api-server.ts";

export const namespace = "demo";

export async function startServer(): Promise<ApiServer> {
  const api = await server();
  api.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, uid: "a-namespace" } });
  return api;
}

export async function opener(
  api: ApiServer,
  invalid: (name: string, why: string) => void = () => {},
  limits: object = {},
) {
  const cluster = await connect(api);
  return () => new KubernetesStore({ cluster, namespace, invalid, retryMs: 50, ...limits });
}

export const resource = (name: string, spec: object) => ({
  apiVersion: "keyway.dev/v1alpha1",
  kind: "Route",
  metadata: { name, namespace },
  spec,
});

/** The store's watch stays, and says nothing any more. */
export async function makeDeaf(api: ApiServer, store: Store) {
  const watches = () => api.requests.filter((one) => one.includes("routes?watch=1")).length;
  const before = watches();
  api.faults.add(/routes\?watch=1/, (_, response) => response.writeHead(200).flushHeaders());
  api.cut();
  await expect.poll(watches).toBeGreaterThan(before);
  await expect.poll(() => store.trouble()).toBeUndefined();
}

export const service = (name: string, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec: { selector: { app: name }, ports: [{ port: 9080, name: "http", targetPort: 8080 }], ...spec },
});

/** The endpoints of a service, ready or not. */
export const slice = (of: string, ready: (boolean | undefined)[], more: object = {}) => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: `${of}-1`, namespace, labels: { "kubernetes.io/service-name": of } },
  addressType: "IPv4",
  ports: [{ name: "http", port: 8080 }],
  endpoints: ready.map((one) => ({ addresses: ["10.0.0.1"], conditions: one === undefined ? {} : { ready: one } })),
  ...more,
});
