import { expect, test } from "vitest";
import { fromKubectl } from "../../installer/render/listed.ts";
import { parseRouteFile } from "../../routes/reading/route-file.ts";
import { servicesFor } from "../../shared/services/services.ts";

type Port = { name?: string; containerPort: number; protocol?: string };
const service = (namespace: string, ports: object[], selector?: object) => ({
  kind: "Service",
  metadata: { name: "reviews", namespace },
  spec: { ports, ...(selector && { selector }) },
});
const pod = (namespace: string, ports: Port[], more: object = {}) => ({
  kind: "Pod",
  metadata: { name: "reviews-1", namespace, labels: { app: "reviews" } },
  spec: { containers: [{ ports }], ...more },
});
const WEB = { port: 80, name: "http", targetPort: "web" };
const SELECTOR = { app: "reviews" };

const portsOf = async (items: object[], file = "routes: [{service: reviews, key: k, to: {cluster: c}}]") => {
  const listed = fromKubectl(JSON.stringify({ kind: "List", items }));
  const services = await servicesFor(listed, parseRouteFile(file), "demo");
  return services.map(({ namespace, ports }) => [namespace, ports[0]?.targetPort]);
};
const web = (containerPort: number, more: Partial<Port> = {}) => ({ name: "web", containerPort, ...more });

test.each<[string, object[], unknown]>([
  ["the number that its pods give it", [pod("demo", [web(8080)])], 8080],
  ["one number, when all pods agree", [pod("demo", [web(8080)]), pod("demo", [web(8080)])], 8080],
  ["unknown without pods", [], { name: "web", numbers: [] }],
  ["unknown when no pod declares it", [pod("demo", [{ containerPort: 80 }])], { name: "web", numbers: [] }],
  ["unknown when pods disagree", [pod("demo", [web(80)]), pod("demo", [web(90)])], { name: "web", numbers: [80, 90] }],
  ["not that of another protocol", [pod("demo", [web(53, { protocol: "UDP" }), web(8080)])], 8080],
  ["not that of another workload", [pod("shop", [web(8080)])], { name: "web", numbers: [] }],
  [
    "that of a sidecar among the init containers",
    [pod("demo", [], { initContainers: [{ restartPolicy: "Always", ports: [web(8081)] }] })],
    8081,
  ],
  [
    "not that of an init container that ends",
    [pod("demo", [], { initContainers: [{ ports: [web(8081)] }] })],
    { name: "web", numbers: [] },
  ],
])("a target port by name is %s", async (_, pods, target) => {
  expect(await portsOf([service("demo", [WEB], SELECTOR), ...pods])).toEqual([["demo", target]]);
});

test("a service without a selector has no pods", async () => {
  expect(await portsOf([service("demo", [WEB]), pod("demo", [web(8080)])])).toEqual([
    ["demo", { name: "web", numbers: [] }],
  ]);
});

test("in another namespace nobody looks at the pods", async () => {
  const file = "routes: [{service: reviews.shop, key: k, to: {cluster: c}}]";
  expect(await portsOf([service("shop", [WEB], SELECTOR), pod("shop", [web(8080)])], file)).toEqual([
    ["shop", { name: "web" }],
  ]);
});

test("a number, or nothing, needs no pods", async () => {
  expect(await portsOf([service("demo", [{ port: 80, targetPort: 8080 }], SELECTOR)])).toEqual([["demo", 8080]]);
  expect(await portsOf([service("demo", [{ port: 80 }], SELECTOR)])).toEqual([["demo", undefined]]);
});

test("hosts outside of the cluster are no services to look up", async () => {
  const file = "routes: [{service: 'api.example.com:443', key: k, to: 'api-2.example.com:443'}]";
  expect(await portsOf([service("example", [WEB], SELECTOR)], file)).toEqual([]);
});
