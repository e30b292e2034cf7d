// An Envoy with the routes of all rows, as a user has written them and `render envoy --into` has put Keyway into them. One listener
// has Keyway where the command puts it, behind the other filters; the other has it before them. A third one lets the most specific header operations win.
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bootstrap, Listener } from "../../../scripts/proxy/bootstrap.ts";
import { type Envoy, run } from "../../../scripts/proxy/run.ts";
import { runCli } from "../../cli/run.ts";
import { type App, startApp } from "./app.ts";
import { filters, usually } from "./policies.ts";
import type { Row } from "./rows.ts";

export const PLACES = ["behind", "before"] as const;
export type Place = (typeof PLACES)[number];

export interface KeptBed {
  envoy: Envoy;
  mirrored: () => number;
  /** What the command says when it meets a filter that stands before the others. */
  saidOfFront: string;
  stop: () => Promise<void>;
}

const ROUTES = "routes: [{service: base, key: pr-1, to: base-pr}]\n";

export async function startKept(rows: readonly Row[]): Promise<KeptBed> {
  const apps = await Promise.all(["base", "base", "base-pr", "base-pr", "mirror"].map(startApp));
  const authorization = createServer(({ headers }, response) => {
    response.writeHead(headers["x-user"] === "mallory" ? 403 : 200).end();
  });
  await once(authorization.listen(0, "127.0.0.1"), "listening");
  const authorizationPort = (authorization.address() as AddressInfo).port;
  const given = bootstrap(rows, apps, authorizationPort);

  const folder = await mkdtemp(join(tmpdir(), "keyway-kept-"));
  const routes = join(folder, "routes.yaml");
  await writeFile(routes, ROUTES);
  const into = (file: object) =>
    runCli(["render", "envoy", "-f", routes, "--into", "-", "--served"], { input: JSON.stringify(file) });
  const made: Bootstrap = JSON.parse((await into(given)).out);
  const before = made.static_resources.listeners.find(({ name }) => name === "before") as Listener;
  const http = before.filter_chains[0]?.filters[0]?.typed_config.http_filters ?? [];
  http.unshift(...http.splice(-2, 1));
  const { err } = await into(made);
  await rm(folder, { recursive: true });

  const envoy = await run(made);
  return {
    envoy,
    mirrored: () => apps.find(({ name }) => name === "mirror")?.requests ?? 0,
    saidOfFront: err,
    stop: async () => {
      await envoy.stop();
      authorization.closeAllConnections();
      await Promise.all([...apps.map((app) => app.stop()), once(authorization.close(), "close")]);
    },
  };
}

export const domain = (row: number) => `row-${row}.test`;

function bootstrap(rows: readonly Row[], apps: readonly App[], authorizationPort: number) {
  const names = [...new Set(apps.map(({ name }) => name))];
  const portsOf = (name: string) => apps.filter((app) => app.name === name).map(({ port }) => port);
  return {
    admin: { address: socket(0) },
    static_resources: {
      listeners: [
        ...PLACES.map((place) => listener(place, rows, authorizationPort)),
        listener("specific", rows.slice(0, 1), authorizationPort, { most_specific_header_mutations_wins: true }),
      ],
      clusters: [...names.map((name) => cluster(name, portsOf(name))), cluster("authorization", [authorizationPort])],
    },
  };
}

function listener(name: string, rows: readonly Row[], authorizationPort: number, more: object = {}) {
  const router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
  const typed_config = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: name,
    http_filters: [...filters(authorizationPort), { name: "router", typed_config: { "@type": router } }],
    route_config: {
      name,
      ...more,
      typed_per_filter_config: usually,
      virtual_hosts: rows.map(({ host, routes }, row) => ({
        name: `row-${row}`,
        domains: [domain(row), `${domain(row)}:*`],
        ...host,
        routes,
      })),
    },
  };
  return { name, address: socket(0), filter_chains: [{ filters: [{ name: "http", typed_config }] }] };
}

function cluster(name: string, ports: readonly number[]) {
  const endpoints = [{ lb_endpoints: ports.map((port) => ({ endpoint: { address: socket(port) } })) }];
  return { name, lb_policy: "RING_HASH", load_assignment: { cluster_name: name, endpoints } };
}

function socket(port_value: number) {
  return { socket_address: { address: "127.0.0.1", port_value } };
}
