// What a cluster with Istio holds before any workload is in it.
import { readFile } from "node:fs/promises";
import { loadAllYaml } from "@kubernetes/client-node";
import { ISTIO_VERSION, istio } from "../../../scripts/parts/istio.ts";
import type { Api, Resource } from "./api.ts";
import * as objects from "./objects.ts";
import { until } from "./until.ts";

const ISTIOD_PORTS: objects.ServicePort[] = [
  { name: "grpc-xds", port: 15010 },
  { name: "https-dns", port: 15012 },
  { name: "https-webhook", port: 443, targetPort: 15017 },
  { name: "http-monitoring", port: 15014 },
];

/** Applies Istio's definitions and everything about istiod but its process, which runs at `address`. */
export async function furnish(api: Api, address: string): Promise<void> {
  const { definitions } = await istio();
  const files = await Promise.all(definitions.map((file) => readFile(file, "utf8")));
  const crds = files.flatMap((text) => loadAllYaml(text) as (Resource | null)[]).filter((crd) => crd !== null);
  await Promise.all([api.apply(...crds), furnishSystem(api, address)]);
  await Promise.all(crds.map((crd) => until(`${crd.metadata?.name}`, () => established(api, crd))));
}

async function furnishSystem(api: Api, address: string): Promise<void> {
  const namespace = objects.ISTIO_SYSTEM;
  const labels = { app: "istiod", "istio.io/rev": "default" };
  await api.apply(objects.namespaceObject(namespace), objects.accountObject("default", "default"));
  await api.core.createNode({ body: objects.nodeObject(address) });
  await api.core.replaceNodeStatus({ name: objects.NODE, body: objects.nodeObject(address) });
  const shape: objects.PodShape = {
    name: "istiod",
    namespace,
    workload: "istiod",
    account: "istiod",
    labels,
    address,
    containers: [{ name: "discovery", image: `docker.io/istio/pilot:${ISTIO_VERSION}` }],
  };
  await api.apply(
    objects.accountObject(namespace, "istiod"),
    objects.deploymentObject(shape),
    objects.serviceObject(namespace, "istiod", { app: "istiod" }, ISTIOD_PORTS),
    objects.sliceObject(namespace, "istiod", ISTIOD_PORTS, [{ pod: "istiod", address, ready: true }]),
    objects.endpointsObject(namespace, "istiod", ISTIOD_PORTS, { pod: "istiod", address, ready: true }),
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "istio", namespace }, data: { mesh: MESH_CONFIG } },
    VALIDATION,
  );
  await putPod(api, shape, true);
}

/** Creates the pod if it is not there, and sets its status. */
export async function putPod(api: Api, shape: objects.PodShape, ready: boolean): Promise<void> {
  const body = objects.podObject(shape, ready);
  await api.core.createNamespacedPod({ namespace: shape.namespace, body }).catch((error: { code?: number }) => {
    if (error.code !== 409) throw error;
  });
  await api.core.replaceNamespacedPodStatus({ name: shape.name, namespace: shape.namespace, body });
}

async function established(api: Api, crd: Resource): Promise<boolean> {
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata?.name}`;
  const { status } = (await api.get(path)) as { status?: { conditions?: { type: string; status: string }[] } };
  return Boolean(status?.conditions?.some(({ type, status }) => type === "Established" && status === "True"));
}

/** Without the metrics provider, whose filter only Istio's own build of Envoy has. */
const MESH_CONFIG = JSON.stringify({
  trustDomain: "cluster.local",
  defaultConfig: { discoveryAddress: "istiod.istio-system.svc:15012" },
  defaultProviders: { metrics: [] },
});

/** istiod itself fills in the certificate and turns Ignore into Fail once it can answer. */
const VALIDATION: Resource = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingWebhookConfiguration",
  metadata: {
    name: "istio-validator-istio-system",
    labels: { app: "istiod", istio: "istiod", "istio.io/rev": "default" },
  },
  webhooks: [
    {
      name: "validation.istio.io",
      clientConfig: { service: { name: "istiod", namespace: objects.ISTIO_SYSTEM, path: "/validate" } },
      rules: [
        {
          operations: ["CREATE", "UPDATE"],
          apiGroups: ["security.istio.io", "networking.istio.io", "telemetry.istio.io", "extensions.istio.io"],
          apiVersions: ["*"],
          resources: ["*"],
        },
      ],
      failurePolicy: "Ignore",
      sideEffects: "None",
      admissionReviewVersions: ["v1"],
    },
  ],
};
