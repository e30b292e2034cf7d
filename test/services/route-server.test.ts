import { expect, test } from "vitest";
import { findServer } from "../../installer/services/route-server.ts";
import type { Listed } from "../../shared/services/services.ts";

const service = (name: string, ports: object[]) => ({
  kind: "Service",
  metadata: { name, namespace: "keyway-system" },
  spec: { ports },
});
const present = [
  service("keyway", [
    { port: 8700, name: "http" },
    { port: 9090, name: "metrics" },
  ]),
  service("single", [{ port: 80 }]),
  service("two", [
    { port: 1, name: "a" },
    { port: 2, name: "b" },
  ]),
];
const cluster = {
  list: async (_: string, __: string, { namespace = "" } = {}) => (namespace === "keyway-system" ? present : []),
} as unknown as Listed;
const find = (text: string) => findServer(text, { cluster, namespace: "demo", domain: "cluster.local" });
const CLUSTER = "outbound|8700||keyway.keyway-system.svc.cluster.local";

test.each([
  ["keyway.keyway-system:8700", { cluster: CLUSTER, authority: "keyway.keyway-system" }],
  ["keyway.keyway-system:http", { cluster: CLUSTER, authority: "keyway.keyway-system" }],
  ["keyway.keyway-system", { cluster: CLUSTER, authority: "keyway.keyway-system" }],
  ["keyway.keyway-system.svc.cluster.local:8700", { cluster: CLUSTER, authority: "keyway.keyway-system" }],
  ["http://keyway.keyway-system:8700/", { cluster: CLUSTER, authority: "keyway.keyway-system" }],
  [
    "http://keyway.keyway-system:8700/keyway",
    { cluster: CLUSTER, authority: "keyway.keyway-system", path: "/keyway/v1/table" },
  ],
  [
    "http://keyway.keyway-system:8700/v1/table",
    { cluster: CLUSTER, authority: "keyway.keyway-system", path: "/v1/table" },
  ],
  [
    "single.keyway-system",
    { cluster: "outbound|80||single.keyway-system.svc.cluster.local", authority: "single.keyway-system" },
  ],
  ["keyway:8700", { cluster: "outbound|8700||keyway.demo.svc.cluster.local", authority: "keyway.demo" }],
  [
    "http://routes.team.example.com",
    { cluster: "outbound|80||routes.team.example.com", authority: "routes.team.example.com:80" },
  ],
  [
    "routes.team.example.com:8700",
    { cluster: "outbound|8700||routes.team.example.com", authority: "routes.team.example.com:8700" },
  ],
])("%s is found", async (text, place) => {
  expect(await find(text)).toEqual(place);
});

test.each([
  ["https://keyway.keyway-system:8700", /in the clear/, /write http:\/\/keyway/],
  ["keyway.keyway-system:grpc", /no port grpc; it has http \(8700\), metrics \(9090\)/, /keyway\.keyway-system:PORT/],
  ["two.keyway-system", /which port of two\.keyway-system\? It has a \(1\), b \(2\)/, /:PORT/],
  ["keywai.keyway-system", /no service keywai in namespace keyway-system; did you mean/, /kubectl get services/],
  ["routes.team.example.com", /its port is missing/, /HOST:PORT/],
  ["Not A Name", /names no route server/, /SERVICE\.NAMESPACE:PORT/],
  ["ftp://keyway:1", /no route server's URL/, /HOST:PORT/],
  ["http://me:secret@keyway:1", /no route server's URL/, /HOST:PORT/],
  ["http://keyway:1?x=1", /no route server's URL/, /HOST:PORT/],
])("%s is refused", async (text, message, next) => {
  await expect(find(text)).rejects.toMatchObject({
    message: expect.stringMatching(message),
    next: expect.stringMatching(next),
  });
});
