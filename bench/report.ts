// The benchmarks' figures as text for people.
import type { Crossings, HostCall, Measured, MemoryUse, Verdict } from "./results.ts";

/** Columns wide enough for their texts: the first aligned left, the others right. */
export function table(heads: string[], rows: string[][]): string {
  const lines = [heads, ...rows];
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => (line[column] as string).length)));
  const show = (cells: string[]) =>
    cells
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] as number) : cell.padStart(widths[at] as number)))
      .join("  ");
  const rule = widths.map((width) => "-".repeat(width));
  return `${[heads, rule, ...rows].map((line) => show(line).trimEnd()).join("\n")}\n`;
}

export function showSubjects(subjects: Measured[]): string {
  const heads = ["Envoy, per request", "CPU us", "to own header route", "to no filter", "p50 us", "p99 us"];
  const rows = subjects.map(({ title, cpu, latency }) => [
    title,
    cpu.microseconds.toFixed(1),
    cpu.toNative.toFixed(3),
    cpu.toPlain.toFixed(3),
    latency.p50.toFixed(0),
    latency.p99.toFixed(0),
  ]);
  return table(heads, rows);
}

export function showMemory(uses: MemoryUse[]): string {
  const heads = [
    "Growth by 100,000 keys / configuration text",
    "workers",
    "an empty module",
    "Keyway",
    "Keyway's part",
  ];
  const rows = uses.map(({ delivery, workers, text, own, grown }) => {
    const times = [own / text, grown / text, (grown - own) / text].map((value) => value.toFixed(2));
    return [delivery, `${workers}`, ...times];
  });
  return table(heads, rows);
}

export const showHostCalls = (calls: HostCall[]): string =>
  table(
    ["Call from the module into Envoy", "ns"],
    calls.map(({ call, nanoseconds }) => [call, `${nanoseconds}`]),
  );

export const showCrossings = (all: Crossings[]): string =>
  all.map(({ request, calls }) => `Keyway, ${request}: ${calls.length} calls: ${calls.join(", ")}\n`).join("");

export const showVerdicts = (verdicts: Verdict[]): string =>
  table(
    ["Target", "measured", "at most", ""],
    verdicts.map(({ what, value, limit, passed }) => [
      what,
      value.toFixed(3),
      limit.toFixed(3),
      passed ? "reached" : "MISSED",
    ]),
  );
