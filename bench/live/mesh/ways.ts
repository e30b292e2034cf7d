// The ways in which the route of a key comes to proxies on a mesh: the live table, and the objects of Istio that people would edit instead.
import type { Resource } from "../../../test/mesh/bed/api.ts";
import { destinationOf, virtualServiceObject } from "../../../test/mesh/bed/objects.ts";
import { APP_HTTP_PORT } from "../../../test/mesh/bed/ports.ts";
import { ROUTE_SERVER_PORT, ROUTE_SERVER_UNIT, WRITER_TOKEN } from "../../../test/mesh/bed/route-server.ts";
import { keyText } from "../../lib/load.ts";
import { BASELINE, CALLERS, type MeshBed, NAMESPACE, TARGET } from "./bed.ts";

export const WAYS = ["live", "WasmPlugin", "VirtualService", "EnvoyFilter"] as const;
export type Way = (typeof WAYS)[number];

/** Bytes and number of the objects that hold the routes. */
export type Held = { bytes: number; objects: number };

export type Driver = {
  start(): Promise<void>;
  /** Gives each key below `keys` its route, whatever was there before. */
  fill(keys: number): Promise<Held>;
  /** Adds the route of key number `keys`, for which there are routes of all that come before it. Resolves when it is accepted. */
  add(keys: number): Promise<void>;
  stop(): Promise<void>;
};

const clusterOf = (service: string) => `outbound|${APP_HTTP_PORT}||${service}.${NAMESPACE}.svc.cluster.local`;
export const numbers = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at);

export function drivers(bed: MeshBed, module: string): Record<Way, Driver> {
  const install = (...more: string[]) => {
    const selected = Object.entries(CALLERS).map(([name, value]) => `${name}=${value}`);
    const flags = ["--insecure", "--mode", "outbound", "-l", selected.join(), "--module", module];
    return bed.keyway("install", "-n", NAMESPACE, ...flags, ...more);
  };
  return {
    live: live(bed, install),
    WasmPlugin: { ...byObjects(bed, wasmPlugins), ...installed(bed, install) },
    VirtualService: byObjects(bed, virtualServices),
    EnvoyFilter: byObjects(bed, envoyFilters),
  };
}

function installed(bed: MeshBed, install: (...more: string[]) => Promise<string>): Pick<Driver, "start" | "stop"> {
  return {
    start: async () => {
      const route = `{service: "${BASELINE}:${APP_HTTP_PORT}", key: first, to: ${TARGET}}`;
      await install("-f", await bed.file("routes.yaml", `routes:\n  - ${route}\n`));
    },
    // The plugin has been edited by others, which is what is measured.
    stop: async () => void (await bed.keyway("uninstall", "-n", NAMESPACE, "--include-edited")),
  };
}

function live(bed: MeshBed, install: (...more: string[]) => Promise<string>): Driver {
  const routeOf = (index: number) => {
    const [id, key] = [keyText(index), keyText(index)];
    return { id, service: `${BASELINE}.${NAMESPACE}:${APP_HTTP_PORT}`, key, to: TARGET };
  };
  let held = 0;
  const set = async (from: number, to: number) => {
    const answer = await fetch(`http://${bed.server.address}:${ROUTE_SERVER_PORT}/v1/routes:apply`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${WRITER_TOKEN}` },
      body: JSON.stringify({ set: numbers(from, to).map(routeOf) }),
    });
    if (!answer.ok) throw new Error(`the route server answered ${answer.status}: ${await answer.text()}`);
    await answer.body?.cancel();
    held = to;
  };
  return {
    start: async () => void (await install("--server", `${ROUTE_SERVER_UNIT}.${NAMESPACE}:${ROUTE_SERVER_PORT}`)),
    fill: async (keys) => {
      await set(held, keys);
      return { bytes: 0, objects: 0 };
    },
    add: (keys) => set(keys, keys + 1),
    stop: async () => void (await bed.keyway("uninstall", "-n", NAMESPACE)),
  };
}

/** The objects for so many keys. A key's route is in the same object whatever keys come after it. */
type Objects = (keys: number) => Resource[];

function byObjects(bed: MeshBed, objects: Objects): Driver {
  let applied: Resource[] = [];
  return {
    start: async () => {},
    fill: async (keys) => {
      applied = objects(keys);
      await bed.mesh.apply(...applied);
      return { bytes: JSON.stringify(applied).length, objects: applied.length };
    },
    add: async (keys) => {
      applied = objects(keys + 1);
      await bed.mesh.apply(applied.at(-1) as Resource);
    },
    stop: () => bed.mesh.delete(...applied),
  };
}

export const wasmPlugins: Objects = (keys) => {
  const [from, to] = [clusterOf(BASELINE), clusterOf(TARGET)];
  const routes = numbers(0, keys).map((index) => ({ from, key: keyText(index), to }));
  return [
    {
      apiVersion: "extensions.istio.io/v1alpha1",
      kind: "WasmPlugin",
      metadata: { name: "keyway", namespace: NAMESPACE },
      spec: { pluginConfig: { routes } },
    },
  ];
};

/** One for all keys: of several for one host sidecars take the oldest alone. */
export const virtualServices: Objects = (keys) => {
  const keyed = numbers(0, keys).map((index) => ({
    match: [{ headers: { "x-routing-key": { exact: keyText(index) } } }],
    route: [destinationOf(NAMESPACE, TARGET)],
  }));
  const http = [...keyed, { route: [destinationOf(NAMESPACE, BASELINE)] }];
  return [virtualServiceObject(NAMESPACE, { name: BASELINE, host: BASELINE, gateways: ["mesh"], http })];
};

/** As many as one object has room for. */
const KEYS_OF_A_FILTER = 2500;

export const envoyFilters: Objects = (keys) =>
  numbers(0, Math.ceil(keys / KEYS_OF_A_FILTER)).map((part) => {
    const first = part * KEYS_OF_A_FILTER;
    return envoyFilter(part, numbers(first, Math.min(keys, first + KEYS_OF_A_FILTER)));
  });

export const envoyFilter = (part: number, keys: number[]): Resource => ({
  apiVersion: "networking.istio.io/v1alpha3",
  kind: "EnvoyFilter",
  metadata: { name: `routes-${part}`, namespace: NAMESPACE },
  spec: { workloadSelector: { labels: CALLERS }, configPatches: keys.map(patch) },
});

function patch(index: number) {
  const host = `${BASELINE}.${NAMESPACE}.svc.cluster.local:${APP_HTTP_PORT}`;
  return {
    applyTo: "HTTP_ROUTE",
    match: {
      context: "SIDECAR_OUTBOUND",
      routeConfiguration: { name: `${APP_HTTP_PORT}`, vhost: { name: host } },
    },
    patch: {
      operation: "INSERT_FIRST",
      value: {
        match: { prefix: "/", headers: [{ name: "x-routing-key", string_match: { exact: keyText(index) } }] },
        route: { cluster: clusterOf(TARGET) },
      },
    },
  };
}
