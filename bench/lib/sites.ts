// What Envoy is given in each benchmark: the same two clusters behind every way to choose between them.
import { watcher } from "../../installer/render/parts.ts";
import { GUARD } from "../../routes/model/guard.ts";
import { BASELINE, type Json, luaFilter, type Site, TARGET, wasmFilter } from "./bootstrap.ts";
import { KEY_HEADER, keyText } from "./load.ts";

const header = KEY_HEADER.split(":")[0] as string;
const all = { prefix: "/" };
const baseline = { match: all, route: { cluster: BASELINE } };
const present = [{ name: "x-keyway-cluster", present_match: true }];
const select = {
  route: { cluster_header: "x-keyway-cluster", timeout: "0s" },
  request_headers_to_remove: ["x-keyway-cluster"],
};
const keys = (count: number): string[] => Array.from({ length: count }, (_, index) => keyText(index));

export const noFilter: Site = { host: { routes: [baseline] } };

export function headerRoutes(count: number): Site {
  const routes = keys(count).map((key) => ({
    match: { ...all, headers: [{ name: header, string_match: { exact: key } }] },
    route: { cluster: TARGET },
  }));
  return { host: { routes: [...routes, baseline] } };
}

const ROUTE = "type.googleapis.com/envoy.config.route.v3.Route";
const HEADER_INPUT = "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput";
const action = (cluster: string): Json => ({
  action: { name: "route", typed_config: { "@type": ROUTE, match: all, route: { cluster } } },
});

export function matcherTree(count: number): Site {
  const input = { name: "key", typed_config: { "@type": HEADER_INPUT, header_name: header } };
  const map = Object.fromEntries(keys(count).map((key) => [key, action(TARGET)]));
  const matcher = { matcher_tree: { input, exact_match_map: { map } }, on_no_match: action(BASELINE) };
  return { host: { matcher } };
}

/** A peer's module before the one route that its selection leads to; the module marks the hop itself. */
export function wasm(file: string, configuration?: string): Site {
  const routes = [{ match: GUARD, ...select }, baseline];
  return { filters: [wasmFilter(file, configuration)], host: { routes } };
}

/** A peer's module before the same twins as Keyway, which add the hop mark and the proof: all that differs is the module, and Keyway's watcher. */
export const throughTwins = (file: string): Site => ({
  filters: [wasmFilter(file)],
  host: { routes: [baseline] },
  twins: true,
});

/** As `keyway render envoy` and an installation have it: the filter, the watcher, and a twin that marks the hop before each route. */
export const keyway = (modules: { filter: string; watch: string }, configuration: string): Site => ({
  filters: [wasmFilter(modules.filter, configuration)],
  loggers: [watcher(modules)],
  host: { routes: [baseline] },
  twins: true,
});

/** Keyway before a number of routes, each with its twin or without; a request to / is taken by the last of them. */
export function manyRoutes(site: Site, count: number, twins: boolean): Site {
  const others = Array.from({ length: count - 1 }, (_, index) => ({
    ...baseline,
    match: { prefix: `/part-${index}/` },
  }));
  return { ...site, host: { routes: [...others, baseline] }, twins };
}

export function emptyModule(file: string, configuration?: string): Site {
  return { filters: [wasmFilter(file, configuration)], host: { routes: [baseline] } };
}

export function keywayConfiguration(count: number, targetOf = (_key: string) => TARGET): string {
  const routes = keys(count).map((key) => ({ from: BASELINE, key, to: targetOf(key) }));
  return JSON.stringify({ routes, hopMark: "route" });
}

/** One line per key, which the Rust and the SDK peers read; `more` is what else stands on a line. */
export const plainTable = (count: number, more = ""): string =>
  keys(count)
    .map((key) => `${key} ${TARGET}${more}\n`)
    .join("");

/** Lua that has `headers`, `target` and the request's `handle`. */
const selectInLua = `
    handle:streamInfo():dynamicMetadata():set("keyway", "routed", target)
    headers:replace("x-keyway-cluster", target)
    headers:replace("x-keyway-routed", target)
    handle:clearRouteCache()
`;

const script = (count: number): string => `
local targets = {${keys(count).map((key) => `["${key}"]="${TARGET}"`)}}

function envoy_on_request(handle)
  local headers = handle:headers()
  headers:remove("x-keyway-cluster")
  local key = headers:get("${header}")
  local target = key and targets[key]
  if target then${selectInLua}  end
end
`;

export function lua(count: number): Site {
  return luaSite(script(count));
}

/** Asks a route server over the cluster `keyway` for each request with a key. */
export const luaAsking = (): Site => luaSite(asking);

const asking = `
function envoy_on_request(handle)
  local headers = handle:headers()
  headers:remove("x-keyway-cluster")
  local key = headers:get("${header}")
  if not key then return end
  local question = {[":method"] = "GET", [":path"] = "/v1/routes?from=${BASELINE}&key=" .. key, [":authority"] = "keyway"}
  local _, body = handle:httpCall("keyway", question, "", 1000)
  local target = body and string.match(body, '"to":%s*"([^"]+)"')
  if target then
    -- What was at hand before a call is not after it.
    headers = handle:headers()${selectInLua}  end
end
`;

function luaSite(source: string): Site {
  const metadata = [{ filter: "keyway", path: [{ key: "routed" }], value: { present_match: true } }];
  const match = { ...all, headers: present, dynamic_metadata: metadata };
  return { filters: [luaFilter(source)], host: { routes: [{ match, ...select }, baseline] } };
}
