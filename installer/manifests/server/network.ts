import type { V1PodDisruptionBudget, V1Service } from "@kubernetes/client-node";
import { type Listener, listenersOf } from "./listeners.ts";
import { metadataOf, SERVICE_NAME, type ServerChoice, selector } from "./server.ts";

export function service(choice: ServerChoice): V1Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataOf(choice, SERVICE_NAME),
    spec: {
      type: "ClusterIP",
      selector,
      ports: listenersOf(choice).map(servicePort),
    },
  };
}

/** Istio reads the protocol from `appProtocol`. */
function servicePort({ name, port }: Listener) {
  return { name, port, targetPort: name, protocol: "TCP", appProtocol: name.replace(/-.*/, "") };
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

/** Whoever is in the cluster may ask on the server's ports, and nobody on another one. */
export function networkPolicy(choice: ServerChoice) {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadataOf(choice),
    spec: {
      podSelector: { matchLabels: selector },
      policyTypes: ["Ingress"],
      ingress: [
        {
          from: [{ namespaceSelector: {} }],
          ports: listenersOf(choice).map(({ port }) => ({ protocol: "TCP", port })),
        },
      ],
    },
  };
}
