// What the counters of a workload's proxies tell of the keys that come in and go out.
import { TRACE_HEADERS } from "../../routes/model/model.ts";
import {
  METRIC_CONFLICTS,
  METRIC_EVICTED,
  METRIC_FORWARDED,
  METRIC_NO_KEY,
  METRIC_RECOVERED,
  METRIC_REMEMBERED,
  METRIC_UNRECOVERED,
  METRIC_UNRECOVERED_UNTRACED,
  METRIC_UNTRACED,
} from "../../routes/model/names.ts";
import type { Metrics } from "../proxies/proxy-admin.ts";

/** Numbers of requests, and of traces in `evicted` and `conflicting`. */
export interface Flow {
  /** Came in with a key. */
  cameIn: number;
  /** Those of them that had no trace id, so that nothing could be remembered. */
  untraced: number;
  /** Came in without a key, at most: Envoy's count of these has requests that went out in it as well. */
  cameInWithout: number;
  /** Went out with a key that the service had handed on. */
  forwarded: number;
  /** Went out without a key and had it given back, and by the id in which header. */
  recovered: number;
  recoveredBy: Partial<Record<string, number>>;
  /** Went out without a key, in no trace that was remembered. */
  unrecovered: number;
  /** Those of them that had no trace id, or only the request id that Envoy gives to everybody. */
  unrecoveredUntraced: number;
  /** Traces that were forgotten before their time. */
  evicted: number;
  conflicting: number;
}

/** The counter of what was given back by the id in this header. */
export function metricOf(header: string): string {
  return `${METRIC_RECOVERED}_${header.replaceAll("-", "_")}`;
}

/** Undefined where the proxy has no counters of traces, because no filter with `trace` runs in it. */
export function flowOf(metrics: Metrics): Flow | undefined {
  if (metrics[METRIC_REMEMBERED] === undefined) return undefined;
  const of = (metric: string) => metrics[metric] ?? 0;
  const counted = TRACE_HEADERS.map((header) => [header, of(metricOf(header))] as const);
  return {
    cameIn: of(METRIC_REMEMBERED) + of(METRIC_UNTRACED),
    untraced: of(METRIC_UNTRACED),
    cameInWithout: Math.max(0, of(METRIC_NO_KEY) - of(METRIC_UNRECOVERED)),
    forwarded: of(METRIC_FORWARDED),
    recovered: of(METRIC_RECOVERED),
    recoveredBy: Object.fromEntries(counted.filter(([, requests]) => requests > 0)),
    unrecovered: of(METRIC_UNRECOVERED),
    unrecoveredUntraced: of(METRIC_UNRECOVERED_UNTRACED),
    evicted: of(METRIC_EVICTED),
    conflicting: of(METRIC_CONFLICTS),
  };
}

/** What a proxy has counted since; a proxy that began anew meanwhile has counted all of it since. */
export function since(before: Metrics, now: Metrics): Metrics {
  const hasBegunAnew = Object.entries(before).some(([name, value = 0]) => isCounter(name) && (now[name] ?? 0) < value);
  if (hasBegunAnew) return now;
  const moved = Object.entries(now).map(([name, value = 0]) => [
    name,
    isCounter(name) ? value - (before[name] ?? 0) : value,
  ]);
  return Object.fromEntries(moved);
}

function isCounter(name: string): boolean {
  return /_requests_|_traces_/.test(name);
}

/** Of several proxies together. */
export function sum(all: readonly Metrics[]): Metrics {
  const total: Record<string, number> = {};
  for (const metrics of all)
    for (const [name, value = 0] of Object.entries(metrics)) total[name] = (total[name] ?? 0) + value;
  return total;
}
