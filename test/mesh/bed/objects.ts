// The Kubernetes objects that the bed stands up, as a cluster with a scheduler, kubelets and Istio's injector would hold them.
import { createHash } from "node:crypto";
import type { V1ContainerPort, V1Node, V1Pod } from "@kubernetes/client-node";
import { ISTIO_VERSION } from "../../../scripts/parts/istio.ts";
import type { Resource } from "./api.ts";
import { APP_HTTP_PORT, KUBELET_PORT } from "./ports.ts";

export const NODE = "bed";
export const ISTIO_SYSTEM = "istio-system";

export type Labels = Record<string, string>;
export type ServicePort = { name: string; port: number; targetPort?: number; appProtocol?: string };
export type Container = { name: string; image: string; ports?: V1ContainerPort[] };

export const PROXY: Container = { name: "istio-proxy", image: `docker.io/istio/proxyv2:${ISTIO_VERSION}` };

export const namespaceObject = (name: string): Resource => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels: name === ISTIO_SYSTEM ? {} : { "istio-injection": "enabled" } },
});

export const accountObject = (namespace: string, name: string): Resource => ({
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { name, namespace },
});

export const nodeObject = (address: string): V1Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: NODE },
  status: {
    addresses: [{ type: "InternalIP", address }],
    daemonEndpoints: { kubeletEndpoint: { Port: KUBELET_PORT } },
    conditions: [condition("Ready", true)],
  },
});

export type PodShape = {
  name: string;
  namespace: string;
  workload: string;
  account: string;
  labels: Labels;
  address: string;
  containers: Container[];
};

export const deploymentObject = ({ workload, namespace, labels, account, containers }: PodShape): Resource => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: workload, namespace, labels },
  spec: {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { serviceAccountName: account, containers } },
  },
});

/** The pod with its status; `ready` is its readiness and its containers'. */
export function podObject(shape: PodShape, ready: boolean): V1Pod {
  const { name, namespace, workload, account, labels, address, containers } = shape;
  const hash = createHash("sha256").update(workload).digest("hex").slice(0, 9);
  const injected = containers.some((container) => container.name === PROXY.name);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      labels: { ...labels, "pod-template-hash": hash, ...(injected && { "security.istio.io/tlsMode": "istio" }) },
      annotations: injected ? { "sidecar.istio.io/status": INJECTION } : {},
      ownerReferences: [
        { apiVersion: "apps/v1", kind: "ReplicaSet", name: `${workload}-${hash}`, uid: hash, controller: true },
      ],
    },
    spec: { nodeName: NODE, serviceAccountName: account, automountServiceAccountToken: false, containers },
    status: {
      phase: "Running",
      podIP: address,
      podIPs: [{ ip: address }],
      conditions: [condition("Ready", ready), condition("ContainersReady", ready)],
      containerStatuses: containers.map(({ name: container, image }) => ({
        name: container,
        image,
        imageID: image,
        ready,
        restartCount: 0,
        state: { running: {} },
      })),
    },
  };
}

const INJECTION = JSON.stringify({ initContainers: ["istio-init"], containers: [PROXY.name], revision: "default" });

export const serviceObject = (namespace: string, name: string, selector: Labels, ports: ServicePort[]): Resource => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace, labels: { app: name } },
  spec: { selector, ports: ports.map((port) => ({ protocol: "TCP", ...port })) },
});

/** What lets requests for any host in through the gateways that are labelled `istio: NAME`. */
export const gatewayObject = (namespace: string, name: string): Resource => ({
  apiVersion: "networking.istio.io/v1",
  kind: "Gateway",
  metadata: { name, namespace },
  spec: {
    selector: { istio: name },
    servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }],
  },
});

/** What stands in a VirtualService's `http` for one service of a namespace. */
export const destinationOf = (namespace: string, service: string) => ({
  destination: { host: `${service}.${namespace}.svc.cluster.local`, port: { number: APP_HTTP_PORT } },
});

export type VirtualServiceShape = {
  name: string;
  /** A service's name, or a host with dots. */
  host: string;
  /** Gateways of the namespace, and `mesh` for sidecars. */
  gateways: string[];
  http: Record<string, unknown>[];
};

export const virtualServiceObject = (
  namespace: string,
  { name, host, gateways, http }: VirtualServiceShape,
): Resource => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name, namespace },
  spec: { hosts: [host.includes(".") ? host : `${host}.${namespace}.svc.cluster.local`], gateways, http },
});

export type Endpoint = { pod: string; address: string; ready: boolean; terminating?: boolean };

export const sliceObject = (namespace: string, service: string, ports: ServicePort[], pods: Endpoint[]): Resource => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: `${service}-bed`, namespace, labels: { "kubernetes.io/service-name": service } },
  addressType: "IPv4",
  ports: ports.map(({ name, port, targetPort, appProtocol }) => ({
    name,
    port: targetPort ?? port,
    protocol: "TCP",
    ...(appProtocol && { appProtocol }),
  })),
  endpoints: pods.map(({ pod, address, ready, terminating }) => ({
    addresses: [address],
    conditions: { ready, ...(terminating && { serving: true, terminating }) },
    nodeName: NODE,
    targetRef: { kind: "Pod", name: pod, namespace },
  })),
});

/** What the API server's own proxy to services still looks at. */
export const endpointsObject = (namespace: string, service: string, ports: ServicePort[], pod: Endpoint): Resource => ({
  apiVersion: "v1",
  kind: "Endpoints",
  metadata: { name: service, namespace },
  subsets: [
    {
      addresses: [{ ip: pod.address, targetRef: { kind: "Pod", name: pod.pod, namespace } }],
      ports: ports.map(({ name, port, targetPort }) => ({ name, port: targetPort ?? port })),
    },
  ],
});

const condition = (type: string, holds: boolean) => ({ type, status: holds ? "True" : "False" });
