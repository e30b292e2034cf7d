import { expect, test } from "vitest";
import { fromKubectl } from "../../installer/render/listed.ts";
import { parseRouteFile } from "../../routes/reading/route-file.ts";
import { KeywayError } from "../../shared/errors.ts";
import { hostsFor } from "../../shared/services/hosts.ts";
import { type Listed, servicesFor } from "../../shared/services/services.ts";

const entry = (hosts: string[], ...ports: object[]) => ({
  kind: "ServiceEntry",
  metadata: { name: hosts[0], namespace: "egress" },
  spec: { hosts, ports },
});
const ITEMS = [
  { kind: "Service", metadata: { name: "reviews", namespace: "demo" }, spec: { ports: [{ port: 80 }] } },
  entry(["api.example.com", "example.com"], { number: 443, name: "https", protocol: "TLS" }),
  entry(["api.example.com"], { number: 8443, name: "alt" }),
];

const hosts = async (service: string, listed: Listed = fromKubectl(JSON.stringify({ kind: "List", items: ITEMS }))) => {
  const file = parseRouteFile(`routes: [{service: "${service}", key: k, to: {cluster: c}}]`);
  return hostsFor(listed, file, await servicesFor(listed, file, "demo"), "demo");
};

test.each(["api.example.com:443", "example.com:443"])(
  "the hosts of all ServiceEntries, with all their ports: %s",
  async (name) => {
    expect(await hosts(name)).toEqual([
      {
        host: "api.example.com",
        ports: [
          { port: 443, name: "https" },
          { port: 8443, name: "alt" },
        ],
      },
      { host: "example.com", ports: [{ port: 443, name: "https" }] },
    ]);
  },
);

test("nobody looks for hosts where the services suffice", async () => {
  const listed = fromKubectl(JSON.stringify({ kind: "List", items: ITEMS }));
  const asked: string[] = [];
  const watched: Listed = {
    list: (apiVersion, kind, options) => {
      asked.push(kind);
      return listed.list(apiVersion, kind, options);
    },
  };
  expect(await hosts("reviews", watched)).toBeUndefined();
  expect(asked).toEqual(["Service"]);
});

test("nothing is known where there are none, or where they may not be listed", async () => {
  expect(await hosts("api.example.com:443", fromKubectl('{"kind": "List", "items": []}'))).toBeUndefined();
  const forbidden: Listed = {
    list: async (_, kind) => {
      if (kind === "ServiceEntry") throw new KeywayError("no permission to list ServiceEntries");
      return [];
    },
  };
  expect(await hosts("api.example.com:443", forbidden)).toBeUndefined();
});
