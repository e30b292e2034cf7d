import type { V1Deployment, V1Service } from "@kubernetes/client-node";
import { ClusterForks, type ForkSettings } from "../../controller/forks/forks.ts";
import type { ForkEntry, SandboxResource } from "../../routes/model/sandbox.ts";
import { connect, server } from "../cluster/connect.ts";
import type { Stored } from "../double/store.ts";
import { service, workload } from "./objects.ts";

const namespace = "demo";

export const REVIEWS: ForkEntry = {
  workload: "Deployment/reviews",
  containers: [{ name: "app", image: "registry.example/reviews:pr-42" }],
};

export function sandboxOf(forks: ForkEntry[], { name = "pr-42", uid = "uid-of-pr-42" } = {}): SandboxResource {
  return {
    apiVersion: "keyway.dev/v1alpha1",
    kind: "Sandbox",
    metadata: { name, namespace, uid },
    spec: { forks },
  };
}

/** A cluster with the Deployment reviews, behind a Service, and forks that are made in it. */
export async function startForks(settings: Partial<ForkSettings> = {}) {
  const api = await server();
  const failures: string[] = [];
  const cluster = await connect(api);
  const forks = new ClusterForks({ cluster, failed: (why) => failures.push(why), graceMs: 20, ...settings });
  const put = (object: object) => api.put(object as Stored);
  put(workload("Deployment", "reviews"));
  put(service("reviews", { app: "reviews" }));
  const deployment = (name: string) =>
    api.find({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace } }) as V1Deployment | undefined;
  const serviceNamed = (name: string) =>
    api.find({ apiVersion: "v1", kind: "Service", metadata: { name, namespace } }) as V1Service | undefined;
  return {
    api,
    forks,
    failures,
    put,
    deployment,
    service: serviceNamed,
    podOf: (name: string) => deployment(name)?.spec?.template.spec,
    /** As Kubernetes' own controller says it of a Deployment. */
    roll: (name: string, status: object) => put({ ...deployment(name), status: { observedGeneration: 0, ...status } }),
  };
}
