// What Envoy is given in each benchmark: the same two clusters behind every way to choose between them.
import { messages } from "../../installer/twins/spelling.ts";
import { withTwins } from "../../installer/twins/twins.ts";
import { BASELINE, type Json, luaFilter, type Site, TARGET, wasmFilter, wasmLogger } from "./bootstrap.ts";
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

/** The guard of the public contract: the route that a module's selection leads to, which no client can reach by a header. */
const guarded = {
  ...all,
  headers: present,
  filter_state: [{ key: "wasm.keyway", string_match: { prefix: "routed" } }],
};

export function wasm(file: string, configuration?: string): Site {
  const routes = [{ match: guarded, ...select }, baseline];
  return { filters: [wasmFilter(file, configuration)], host: { routes } };
}

/** As envoy.yaml has it: the filter, and the watch that tells it of missing targets. */
export const keyway = (modules: { filter: string; watch: string }, configuration: string): Site => ({
  ...wasm(modules.filter, configuration),
  loggers: [wasmLogger(modules.watch)],
});

/** Keyway before a number of routes, each with its twin or without; a request to / is taken by the last of them. */
export function manyRoutes(site: Site, count: number, twins: boolean): Site {
  const others = Array.from({ length: count - 1 }, (_, index) => ({
    ...baseline,
    match: { prefix: `/part-${index}/` },
  }));
  const plain = { name: "bench", routes: [...others, baseline] };
  const [host = plain] = messages(withTwins({ virtual_hosts: [plain] }), "virtual_hosts");
  return { ...site, host: twins ? host : plain };
}

export function emptyModule(file: string, configuration?: string): Site {
  return { filters: [wasmFilter(file, configuration)], host: { routes: [baseline] } };
}

export function keywayConfiguration(count: number, targetOf = (_key: string) => TARGET): string {
  return JSON.stringify({ routes: keys(count).map((key) => ({ from: BASELINE, key, to: targetOf(key) })) });
}

/** One line per key, which the Rust and the SDK peers read; `more` is what else stands on a line. */
export const plainTable = (count: number, more = ""): string =>
  keys(count)
    .map((key) => `${key} ${TARGET}${more}\n`)
    .join("");

const script = (count: number): string => `
local targets = {${keys(count).map((key) => `["${key}"]="${TARGET}"`)}}

function envoy_on_request(handle)
  local headers = handle:headers()
  headers:remove("x-keyway-cluster")
  local key = headers:get("${header}")
  local target = key and targets[key]
  if target then
    handle:streamInfo():dynamicMetadata():set("keyway", "routed", target)
    headers:replace("x-keyway-cluster", target)
    headers:replace("x-keyway-routed", target)
    handle:clearRouteCache()
  end
end
`;

export function lua(count: number): Site {
  const metadata = [{ filter: "keyway", path: [{ key: "routed" }], value: { present_match: true } }];
  const match = { ...all, headers: present, dynamic_metadata: metadata };
  return { filters: [luaFilter(script(count))], host: { routes: [{ match, ...select }, baseline] } };
}
