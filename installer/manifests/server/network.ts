import type { V1PodDisruptionBudget, V1Service } from "@kubernetes/client-node";
import { metadataOf, PORT, SERVICE_NAME, type ServerChoice, selector } from "./server.ts";

export function service(choice: ServerChoice): V1Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataOf(choice, SERVICE_NAME),
    spec: {
      type: "ClusterIP",
      selector,
      ports: [{ name: "http", port: PORT, targetPort: "http", protocol: "TCP", appProtocol: "http" }],
    },
  };
}

/** Nodes may be drained one by one. */
export function disruptionBudget(choice: ServerChoice): V1PodDisruptionBudget {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: metadataOf(choice),
    spec: { maxUnavailable: 1, selector: { matchLabels: selector } },
  };
}

/** Whoever is in the cluster may ask on the server's port, and nobody on another one. */
export function networkPolicy(choice: ServerChoice) {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadataOf(choice),
    spec: {
      podSelector: { matchLabels: selector },
      policyTypes: ["Ingress"],
      ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ protocol: "TCP", port: PORT }] }],
    },
  };
}
