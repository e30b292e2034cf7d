// The shape of bench/results.json: what the measuring programs hand to those that print and plot.
import type { Machine } from "./lib/machine.ts";

export type Measured = {
  name: string;
  title: string;
  family: string;
  keys: number;
  workers: number;
  routed: boolean;
  /** Envoy's CPU time per request; the ratios are medians of per-round ratios, to subjects with as many workers. */
  cpu: { microseconds: number; toNative: number; toPlain: number; rounds: number[] };
  /** Microseconds at the fixed rate. */
  latency: { p50: number; p99: number };
};

/** `own` is the growth with the empty module; bytes. */
export type MemoryUse = { delivery: string; workers: number; text: number; own: number; grown: number };

export type HostCall = { call: string; nanoseconds: number };

export type Crossings = { request: string; calls: string[] };

export type Verdict = { what: string; value: number; limit: number; passed: boolean };

/** What bench/results.json holds. */
export type Results = {
  date: string;
  machine: Machine;
  rounds: number;
  rate: number;
  subjects: Measured[];
  memory: MemoryUse[];
  hostCalls: HostCall[];
  crossings: Crossings[];
  targets: Verdict[];
};
