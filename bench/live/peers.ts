// What people would use instead of a live table, as rows and as a chart.
import { lineChart, type Series } from "../lib/chart.ts";
import type { Compared } from "./discovery.ts";
import type { MeshEffect } from "./mesh/effect.ts";
import type { Limit } from "./mesh/limits.ts";
import { WAYS } from "./mesh/ways.ts";

type Row = [what: string, value: string, aim: string];

const TITLES = {
  live: "live table",
  rds: "Envoy's RDS",
  WasmPlugin: "WasmPlugin edit",
  VirtualService: "VirtualService edit",
  EnvoyFilter: "EnvoyFilter edit",
};
const STYLES = {
  live: { label: TITLES.live, color: "#0f766e", bold: true },
  rds: { label: TITLES.rds, color: "#b91c1c" },
  WasmPlugin: { label: TITLES.WasmPlugin, color: "#1d4ed8" },
  VirtualService: { label: TITLES.VirtualService, color: "#b45309" },
  EnvoyFilter: { label: TITLES.EnvoyFilter, color: "#6b7280" },
};

const told = (count: number) => count.toLocaleString("en");

export function discoveryRows(all: Compared[]): Row[] {
  return all.map(({ way, keys, proxies, p50, p99, cost }) => [
    `${TITLES[way]}, ${told(keys)} keys, ${proxies} proxies: p50, p99; bytes and CPU of a change in one proxy`,
    `${p50} ms, ${p99} ms; ${told(cost.bytes)}, ${(cost.proxy / 1000).toFixed(1)} ms`,
    "",
  ]);
}

export function meshRows(all: MeshEffect[]): Row[] {
  return all.map((one) => {
    const control = one.way === "live" ? `server ${one.server} ms` : `istiod ${one.istiod} ms`;
    const objects = one.objects > 1 ? ` of ${one.objects} objects` : "";
    return [
      `mesh, ${TITLES[one.way]}${objects}, ${told(one.keys)} keys, ${one.proxies} callers: p50, max; CPU; bytes to each`,
      `${one.p50} ms, ${one.max} ms; ${control}; ${told(one.received)}`,
      "",
    ];
  });
}

export function limitRows(all: Limit[]): Row[] {
  return all.map(({ kind, keys, bytes, reason }) => [
    `most keys of one ${kind}; above that the API server says`,
    `${told(keys)} (${(bytes / 2 ** 20).toFixed(2)} MiB); ${reason}`,
    "",
  ]);
}

export function effectBesidePeers(discovery: Compared[], effects: MeshEffect[]): string {
  const plain = (["live", "rds"] as const).map((way): Series => {
    const points = discovery.filter((one) => one.way === way);
    return { ...STYLES[way], points: points.map(({ keys, p50 }) => ({ keys, value: p50 })) };
  });
  const mesh = WAYS.map((way): Series => {
    const points = effects.filter((one) => one.way === way);
    return { ...STYLES[way], points: points.map(({ keys, p50 }) => ({ keys, value: p50 })) };
  });
  const proxies = [...new Set(discovery.map(({ proxies }) => proxies))].join(", then ");
  return lineChart(
    "A change, until it is in force in all proxies",
    "From its acceptance, median; each panel is one run on two cores; less is better",
    "milliseconds",
    [
      { title: `Istio, ${effects[0]?.proxies} callers with sidecars`, series: mesh },
      { title: `Plain Envoys on one core: ${proxies}`, series: plain },
    ],
  );
}
