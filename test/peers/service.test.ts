// The servers behind a Service.
import { expect, onTestFinished, test } from "vitest";
import { peersIn, ServiceDirectory } from "../../server/peers/service.ts";
import { connect, server } from "../cluster/connect.ts";
import { neverAnswer, noRights } from "../double/faults.ts";

const slice = (name: string, addresses: string[], more: object = {}, endpoint: object = {}) => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name, namespace: "demo", labels: { "kubernetes.io/service-name": "keyway" } },
  addressType: "IPv4",
  ports: [
    { name: "grpc-signadot", port: 7777 },
    { name: "http", port: 8700 },
  ],
  endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true }, ...endpoint })),
  ...more,
});

const unready = { conditions: { ready: false, serving: true, terminating: true } };

test.each<[string, object[], [string, boolean][]]>([
  [
    "all slices",
    [slice("a", ["10.0.0.1"]), slice("b", ["10.0.0.2"])],
    [
      ["http://10.0.0.1:8700", true],
      ["http://10.0.0.2:8700", true],
    ],
  ],
  [
    "those that are not ready or about to end, too",
    [slice("a", ["10.0.0.1"], {}, unready)],
    [["http://10.0.0.1:8700", false]],
  ],
  [
    "one that nobody has judged is ready",
    [slice("a", ["10.0.0.1"], {}, { conditions: {} })],
    [["http://10.0.0.1:8700", true]],
  ],
  [
    "one family of two",
    [slice("a", ["10.0.0.1"]), slice("b", ["fd00::1"], { addressType: "IPv6" })],
    [["http://10.0.0.1:8700", true]],
  ],
  ["IPv6 alone", [slice("b", ["fd00::1"], { addressType: "IPv6" })], [["http://[fd00::1]:8700", true]]],
  [
    "one that stands in two slices",
    [slice("a", ["10.0.0.1"]), slice("b", ["10.0.0.1"], {}, unready)],
    [["http://10.0.0.1:8700", true]],
  ],
  [
    "the only port, whatever its name",
    [slice("a", ["10.0.0.1"], { ports: [{ name: "web", port: 80 }] })],
    [["http://10.0.0.1:80", true]],
  ],
  ["without ports and endpoints", [slice("a", ["10.0.0.1"], { ports: null }), slice("b", [], { endpoints: null })], []],
])("the servers are those of %s", (_, slices, peers) => {
  const found = peersIn(slices as Parameters<typeof peersIn>[0]);
  expect(found.map(({ url, isReady }) => [url, isReady])).toEqual(peers);
});

async function directory() {
  const api = await server();
  const made = new ServiceDirectory(await connect(api), "demo", "keyway");
  onTestFinished(() => made.close());
  return { api, find: () => made.find() };
}

test("servers that come and go are known, and those of other Services are not", async () => {
  const { api, find } = await directory();
  const other = slice("other", ["10.0.0.7"]);
  other.metadata.labels["kubernetes.io/service-name"] = "other";
  api.put(slice("a", ["10.0.0.1"]), other);
  const urls = async () => ((await find()) as { url: string }[]).map(({ url }) => url);
  await expect.poll(urls).toEqual(["http://10.0.0.1:8700"]);
  api.put(slice("a", ["10.0.0.1", "10.0.0.2"]));
  await expect.poll(urls).toEqual(["http://10.0.0.1:8700", "http://10.0.0.2:8700"]);
  expect(
    api.requests.filter((one) => one.includes("endpointslices")).every((one) => one.includes("labelSelector")),
  ).toBe(true);
});

test("a Service without endpoints is told, as its name may be wrong", async () => {
  const { find } = await directory();
  expect(await find()).toEqual({
    server: "demo/keyway",
    message:
      "the Service demo/keyway that --peers names has no endpoints, so the proxies of other servers are not counted",
  });
});

test("a right that is missing is told", async () => {
  const api = await server();
  api.faults.add(/endpointslices/, noRights("endpointslices is forbidden"), 100);
  const made = new ServiceDirectory(await connect(api), "demo", "keyway");
  onTestFinished(() => made.close());
  expect(await made.find()).toMatchObject({
    message: expect.stringMatching(/EndpointSlices of demo\/keyway can't be read: .*forbidden/),
  });
});

test("what the API server has not told in time is told", async () => {
  const api = await server();
  api.faults.add(/endpointslices/, neverAnswer, 100);
  const made = new ServiceDirectory(await connect(api), "demo", "keyway");
  onTestFinished(() => made.close());
  expect(await made.find()).toMatchObject({ message: expect.stringMatching(/have not been read yet/) });
});
