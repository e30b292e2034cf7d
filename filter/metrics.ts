// The metrics, defined once per VM.
import { METRIC_ALREADY_ROUTED, METRIC_BASELINE, METRIC_CONFIG_REJECTED, METRIC_INVALID_KEY, METRIC_MISSING_TARGET, METRIC_NO_KEY, METRIC_ROUTED, METRIC_TABLE_ROUTES, METRIC_TABLE_VERSION } from "../routes/names";
import { COUNTER, GAUGE, defineMetric } from "./host/calls";
import { writer } from "./host/writer";

export let routed: u32 = 0;
export let baseline: u32 = 0;
export let noKey: u32 = 0;
export let invalidKey: u32 = 0;
export let missingTarget: u32 = 0;
export let alreadyRouted: u32 = 0;
export let tableRoutes: u32 = 0;
export let tableVersion: u32 = 0;
export let configRejected: u32 = 0;

const name = writer();

function define(type: i32, text: string): u32 {
  name.clear().say(text);
  return defineMetric(type, name.at, name.len);
}

let defined = false;

export function defineMetrics(): void {
  if (defined) return;
  defined = true;
  routed = define(COUNTER, METRIC_ROUTED);
  baseline = define(COUNTER, METRIC_BASELINE);
  noKey = define(COUNTER, METRIC_NO_KEY);
  invalidKey = define(COUNTER, METRIC_INVALID_KEY);
  missingTarget = define(COUNTER, METRIC_MISSING_TARGET);
  alreadyRouted = define(COUNTER, METRIC_ALREADY_ROUTED);
  tableRoutes = define(GAUGE, METRIC_TABLE_ROUTES);
  tableVersion = define(GAUGE, METRIC_TABLE_VERSION);
  configRejected = define(GAUGE, METRIC_CONFIG_REJECTED);
}
