// Explanations where the server knows the cluster's Services.
import { expect, test } from "vitest";
import { fileWith, server } from "../cluster/connect.ts";
import { kubeconfig } from "../double/kubeconfig.ts";
import { sent, startServer } from "./serve.ts";

const namespace = "demo";
const service = (name: string, ports: object[]) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec: { ports },
});
const route = (name: string, spec: object) => ({
  apiVersion: "keyway.dev/v1alpha1",
  kind: "Route",
  metadata: { name, namespace },
  spec,
});

test("a route that says no port, or a port's name, is explained as proxies have it", async () => {
  const api = await server();
  api.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, uid: "a-namespace" } });
  api.put(service("reviews", [{ port: 9080 }]), service("ratings", [{ port: 9081, name: "http" }]));
  api.put(
    route("one", { service: "reviews", key: "pr-42", to: "reviews-pr-42" }),
    route("two", { service: "ratings:http", key: "pr-42", to: "ratings-pr-42" }),
  );
  api.tokens.set("secret", "ci");
  api.grants.add("ci: get routes");
  const env = { KUBECONFIG: await fileWith(kubeconfig(api)) };
  const { ask } = await startServer({ store: "kubernetes" }, undefined, env);
  const explain = async (from: string) => {
    const request = { from, headers: [["x-routing-key", "pr-42"]] };
    const { body } = await ask("/v1/explain", sent("POST", request, { authorization: "Bearer secret" }));
    return [body.outcome, body.to];
  };
  const cluster = (port: number, name: string) => `outbound|${port}||${name}.demo.svc.cluster.local`;
  expect(await explain(cluster(9080, "reviews"))).toEqual(["routed", cluster(9080, "reviews-pr-42")]);
  expect(await explain(cluster(9081, "ratings"))).toEqual(["routed", cluster(9081, "ratings-pr-42")]);
  expect(await explain(cluster(9082, "ratings"))).toEqual(["baseline", null]);
});
