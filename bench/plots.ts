// The plots that the README shows, drawn from bench/results.json.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { barChart, lineChart, type Series } from "./lib/chart.ts";
import { project } from "./lib/compile.ts";
import type { Measured, Results } from "./results.ts";

const KEYWAY = "#0f766e";
const families = [
  { family: "native", label: "Envoy's header routes", color: "#b91c1c" },
  { family: "rust", label: "Rust filter", color: "#b45309" },
  { family: "lua", label: "Lua filter", color: "#1d4ed8" },
  { family: "matcher", label: "Envoy's matcher tree", color: "#6b7280" },
  { family: "keyway", label: "Keyway", color: KEYWAY, bold: true },
];

const bars = [
  { name: "envoy", label: "no filter, no key" },
  { name: "empty", label: "an empty Wasm callback" },
  { name: "keyway-nokey", label: "Keyway, no key" },
  { name: "keyway-noroute", label: "Keyway, key without a route" },
  { name: "lua-nokey", label: "Lua filter, no key" },
  { name: "rust-nokey", label: "Rust filter, no key" },
  { name: "sdk-nokey", label: "stock SDK wrappers, no key" },
  { name: "native-1", label: "Envoy's own header route" },
  { name: "select", label: "the least module that routes" },
  { name: "keyway-1", label: "Keyway, routed, 1 key" },
  { name: "keyway-100000", label: "Keyway, routed, 100,000 keys" },
  { name: "lua-1", label: "Lua filter, routed, 1 key" },
  { name: "rust-1", label: "Rust filter, routed, 1 key" },
  { name: "rust-asking-1", label: "Rust filter that asks as much" },
  { name: "sdk-1", label: "stock SDK wrappers, routed, 1 key" },
  { name: "native-1000", label: "Envoy's own 1,000 header routes" },
];

function series(subjects: Measured[], value: (subject: Measured) => number): Series[] {
  return families.map(({ family, ...style }) => {
    const sizes = subjects.filter((subject) => subject.family === family && subject.routed);
    return { ...style, points: sizes.map((subject) => ({ keys: subject.keys, value: value(subject) })) };
  });
}

export function plot({ subjects, rate, rounds }: Results): void {
  const folder = join(project, "docs", "plots");
  mkdirSync(folder, { recursive: true });
  const write = (name: string, svg: string) => writeFileSync(join(folder, `${name}.svg`), svg);
  const cpu = series(subjects, ({ cpu }) => cpu.microseconds);
  const subtitle = `Median of ${rounds} interleaved rounds under full load, one worker on one core; less is better`;
  write(
    "cpu",
    lineChart("CPU time of Envoy per request", subtitle, "microseconds", [{ title: "Routed by key", series: cpu }]),
  );
  const panels = [
    { title: "p50", series: series(subjects, ({ latency }) => latency.p50) },
    { title: "p99", series: series(subjects, ({ latency }) => latency.p99) },
  ];
  const pace = `From request sent to answer received, at ${rate} requests a second; less is better`;
  write("latency", lineChart("Latency through Envoy", pace, "microseconds", panels));
  const chosen = bars.map(({ name, label }) => {
    const subject = subjects.find((one) => one.name === name) as Measured;
    return { label, value: subject.cpu.toNative, color: subject.family === "keyway" ? KEYWAY : "#94a3b8" };
  });
  write("cost", barChart("Cost of a request", "CPU time of Envoy, with its own single header route as 1", chosen, 1));
}

if (import.meta.main) plot(JSON.parse(readFileSync(join(project, "bench", "results.json"), "utf8")));
