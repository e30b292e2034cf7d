// The metrics, defined once per VM.
import {
  METRIC_ALREADY_ROUTED,
  METRIC_BASELINE,
  METRIC_CONFLICTS,
  METRIC_CONFIG_REJECTED,
  METRIC_EVICTED,
  METRIC_FORWARDED,
  METRIC_INVALID_KEY,
  METRIC_KEYS_EXPIRED,
  METRIC_KEYS_FOREIGN,
  METRIC_KEYS_FORGED,
  METRIC_KEYS_REMOVED,
  METRIC_MISSING_TARGET,
  METRIC_NO_KEY,
  METRIC_RECOVERED,
  METRIC_REMEMBERED,
  METRIC_ROUTED,
  METRIC_TABLE_AGE,
  METRIC_TABLE_CHANGES,
  METRIC_TABLE_ERRORS,
  METRIC_TABLE_ROUTES,
  METRIC_TABLE_VERSION,
  METRIC_UNRECOVERED,
  METRIC_UNRECOVERED_UNTRACED,
  METRIC_UNTRACED,
} from "../routes/model/names";
import { COUNTER, GAUGE, defineMetric } from "./host/calls";
import { HEADERS, metricOf } from "./trace/headers";

export let routed: u32 = 0;
export let baseline: u32 = 0;
export let noKey: u32 = 0;
export let invalidKey: u32 = 0;
export let missingTarget: u32 = 0;
export let alreadyRouted: u32 = 0;
export let tableRoutes: u32 = 0;
export let tableVersion: u32 = 0;
export let configRejected: u32 = 0;
export let tableAge: u32 = 0;
export let tableErrors: u32 = 0;
export let tableChanges: u32 = 0;
export let remembered: u32 = 0;
export let untraced: u32 = 0;
export let recovered: u32 = 0;
export let unrecovered: u32 = 0;
export let unrecoveredUntraced: u32 = 0;
export let forwarded: u32 = 0;
export let evicted: u32 = 0;
export let conflicts: u32 = 0;
export let keysRemoved: u32 = 0;
export let keysForged: u32 = 0;
export let keysExpired: u32 = 0;
export let keysForeign: u32 = 0;

const byHeader = memory.data(HEADERS * 4);

/** The counter of the requests that had their key given back by the id in this header. */
export function recoveredBy(header: u32): u32 {
  return load<u32>(byHeader + (header << 2));
}

let defined = false;
let traceDefined = false;
let liveDefined = false;
let edgeDefined = false;

export function defineMetrics(): void {
  if (defined) return;
  defined = true;
  routed = defineMetric(COUNTER, METRIC_ROUTED);
  baseline = defineMetric(COUNTER, METRIC_BASELINE);
  noKey = defineMetric(COUNTER, METRIC_NO_KEY);
  invalidKey = defineMetric(COUNTER, METRIC_INVALID_KEY);
  missingTarget = defineMetric(COUNTER, METRIC_MISSING_TARGET);
  alreadyRouted = defineMetric(COUNTER, METRIC_ALREADY_ROUTED);
  tableRoutes = defineMetric(GAUGE, METRIC_TABLE_ROUTES);
  tableVersion = defineMetric(GAUGE, METRIC_TABLE_VERSION);
  configRejected = defineMetric(GAUGE, METRIC_CONFIG_REJECTED);
}

/** The metrics that only live tables have. */
export function defineLiveMetrics(): void {
  if (liveDefined) return;
  liveDefined = true;
  tableAge = defineMetric(GAUGE, METRIC_TABLE_AGE);
  tableErrors = defineMetric(COUNTER, METRIC_TABLE_ERRORS);
  tableChanges = defineMetric(COUNTER, METRIC_TABLE_CHANGES);
}

/** The metrics that only filters with the source `trace` have. */
export function defineTraceMetrics(): void {
  if (traceDefined) return;
  traceDefined = true;
  remembered = defineMetric(COUNTER, METRIC_REMEMBERED);
  untraced = defineMetric(COUNTER, METRIC_UNTRACED);
  recovered = defineMetric(COUNTER, METRIC_RECOVERED);
  unrecovered = defineMetric(COUNTER, METRIC_UNRECOVERED);
  unrecoveredUntraced = defineMetric(COUNTER, METRIC_UNRECOVERED_UNTRACED);
  forwarded = defineMetric(COUNTER, METRIC_FORWARDED);
  evicted = defineMetric(COUNTER, METRIC_EVICTED);
  conflicts = defineMetric(COUNTER, METRIC_CONFLICTS);
  for (let which = 0; which < HEADERS; which++)
    store<u32>(byHeader + (which << 2), defineMetric(COUNTER, metricOf(which)));
}

/** The metrics that only filters with `edge` have. */
export function defineEdgeMetrics(): void {
  if (edgeDefined) return;
  edgeDefined = true;
  keysRemoved = defineMetric(COUNTER, METRIC_KEYS_REMOVED);
  keysForged = defineMetric(COUNTER, METRIC_KEYS_FORGED);
  keysExpired = defineMetric(COUNTER, METRIC_KEYS_EXPIRED);
  keysForeign = defineMetric(COUNTER, METRIC_KEYS_FOREIGN);
}
