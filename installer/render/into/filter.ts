// The filter among a connection manager's HTTP filters, and the watcher among its access loggers.
import { isDeepStrictEqual } from "node:util";
import { type Document, isMap, isSeq, type YAMLMap, type YAMLSeq } from "yaml";
import { PLUGIN_NAME } from "../../../routes/model/names.ts";
import { respelled, type Spelling } from "../../twins/spelling.ts";
import { created } from "../../yaml-edit/created.ts";
import type { httpFilter, watcher } from "../parts.ts";
import { EARLY_EXTENSIONS, TRACE_IDS_NAME, traceIdRemoval } from "../trace-ids.ts";
import type { TableCluster } from "./cluster.ts";
import { append, child, itemsAt, plainOf, put, remove, valueAt } from "./nodes.ts";

export interface Desired {
  filter: ReturnType<typeof httpFilter>;
  watcher: ReturnType<typeof watcher>;
  /** The clusters that the routes name. */
  clusters: readonly string[];
  /** Of the route servers, where there is to be a live table. */
  tableCluster: TableCluster | undefined;
  /** Whether the ids of traces are taken off before Envoy's tracer reads them. */
  removesTraces: boolean;
  /** The modules' paths were asked for, so they replace what a file says already. */
  modulesGiven: boolean;
}

/**
 * Filters that act on the cluster that a request goes to. They stand between Keyway and the router, so that they see the target.
 * All others stand before Keyway: what they check, count or refuse is the baseline's route, which they see as if no key was there.
 */
const ACT_ON_CLUSTER = [/\.dynamic_forward_proxy\./, /\.aws_lambda\./, /\.gcp_authn\./, /\.istio_stats\./];

/** Puts the filter into its place, or brings the one that is there up to date where it stands. False: there is no place for it. */
export function putFilter(document: Document, manager: YAMLMap, desired: Desired): boolean {
  const filters = child(document, manager, "http_filters");
  if (!isSeq(filters) || filters.items.length === 0) return false;
  const spelling = spellingOf(manager);
  const own = filters.items.findIndex((item) => isOwn(document, item, "Wasm"));
  if (own >= 0) update(document, filters.items[own], desired.filter, desired.modulesGiven, spelling);
  else filters.items.splice(placeAmong(document, filters), 0, created(document, respelled(desired.filter, spelling)));
  return true;
}

/** The names of the filters between Keyway and the router: they see the twin of a keyed request's route. */
export function filtersBehind(document: Document, manager: YAMLMap): string[] {
  const items = itemsAt(document, manager, "http_filters");
  const own = items.findIndex((item) => isOwn(document, item, "Wasm"));
  return own < 0 ? [] : items.slice(own + 1, -1).map((item) => String(valueAt(document, item, "name") ?? ""));
}

export function putWatcher(document: Document, manager: YAMLMap, desired: Desired): void {
  const spelling = spellingOf(manager);
  const own = itemsAt(document, manager, "access_log").find((item) => isOwn(document, item, "WasmAccessLog"));
  if (isMap(own)) {
    update(document, own, desired.watcher, desired.modulesGiven, spelling);
    const flags = child(document, child(document, own, "filter"), "response_flag_filter");
    if (isMap(flags)) put(document, flags, "flags", desired.watcher.filter.response_flag_filter.flags, spelling);
    return;
  }
  append(document, manager, "access_log", respelled(desired.watcher, spelling), spelling);
}

/** Has the ids of strangers' traces taken off, or no longer. */
export function putTraceIds(document: Document, manager: YAMLMap, { removesTraces }: Desired): void {
  const spelling = spellingOf(manager);
  const list = child(document, manager, EARLY_EXTENSIONS);
  const items = isSeq(list) ? list.items : [];
  const own = items.findIndex((item) => valueAt(document, item, "name") === TRACE_IDS_NAME);
  const wanted = respelled(traceIdRemoval(), spelling);
  if (own < 0) {
    if (removesTraces) append(document, manager, EARLY_EXTENSIONS, wanted, spelling);
    return;
  }
  if (removesTraces && isDeepStrictEqual(plainOf(document, items[own]), wanted)) return;
  items.splice(own, 1, ...(removesTraces ? [created(document, wanted)] : []));
  if (items.length === 0) remove(manager, EARLY_EXTENSIONS);
}

function placeAmong(document: Document, filters: YAMLSeq): number {
  let place = filters.items.length - 1;
  const acts = (item: unknown) => {
    const words = `${valueAt(document, item, "name")} ${valueAt(document, item, "typed_config", "@type")}`;
    return ACT_ON_CLUSTER.some((one) => one.test(words));
  };
  while (place > 0 && acts(filters.items[place - 1])) place--;
  return place;
}

function isOwn(document: Document, item: unknown, type: "Wasm" | "WasmAccessLog"): boolean {
  if (child(document, item, "config_discovery")) return valueAt(document, item, "name") === PLUGIN_NAME;
  const named = String(valueAt(document, item, "typed_config", "@type") ?? "").endsWith(`.${type}`);
  return named && valueAt(document, item, "typed_config", "config", "root_id") === PLUGIN_NAME;
}

/** Of a part that is there already only what the route file says is Keyway's to change; the rest may be somebody's choice. */
function update(
  document: Document,
  node: unknown,
  desired: Desired["filter"] | Desired["watcher"],
  modulesGiven: boolean,
  spelling: Spelling,
): void {
  const plugin = child(document, child(document, node, "typed_config"), "config");
  if (!isMap(plugin)) return;
  const { config } = desired.typed_config;
  if (
    "configuration" in config &&
    !isDeepStrictEqual(configurationOf(document, plugin), JSON.parse(config.configuration.value))
  )
    put(document, plugin, "configuration", config.configuration, spelling);
  const code = child(document, child(document, plugin, "vm_config"), "code");
  if (modulesGiven && isMap(code)) put(document, code, "local", config.vm_config.code.local, spelling);
}

function configurationOf(document: Document, plugin: YAMLMap): unknown {
  const text = valueAt(document, plugin, "configuration", "value");
  try {
    return typeof text === "string" ? JSON.parse(text) : text;
  } catch {
    return undefined;
  }
}

function spellingOf(manager: YAMLMap): Spelling {
  return manager.has("httpFilters") ? "camel" : "snake";
}
