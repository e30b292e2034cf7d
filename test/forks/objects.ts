import type { V1PodSpec, V1Service } from "@kubernetes/client-node";
import type { Workload } from "../../controller/forks/baseline.ts";
import type { SandboxRef } from "../../controller/forks/make.ts";

export const sandbox: SandboxRef = { name: "pr-42", namespace: "demo", uid: "uid-of-pr-42" };

/** A workload of one container that listens on 9080, as an API server has it. */
export function workload(
  kind: string,
  name: string,
  more: Record<string, unknown> = {},
  pod: Partial<V1PodSpec> = {},
): Workload {
  const apiVersion = kind === "Rollout" ? "argoproj.io/v1alpha1" : "apps/v1";
  const labels = { app: name, version: "v1" };
  const app = {
    name: "app",
    image: `registry.example/${name}:1.0`,
    ports: [{ containerPort: 9080, name: "http", protocol: "TCP" }],
  };
  return {
    apiVersion,
    kind,
    metadata: { name, namespace: "demo" },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [app], ...pod } },
      ...more,
    },
  };
}

export function service(
  name: string,
  selector: Record<string, string>,
  spec: Partial<V1Service["spec"]> = {},
): V1Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "demo" },
    spec: { selector, ports: [{ name: "http", port: 9080, targetPort: "http", protocol: "TCP" }], ...spec },
  };
}
