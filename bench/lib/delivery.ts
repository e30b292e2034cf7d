// Other ways for Envoy to come by the same configuration.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Json, WASM } from "./bootstrap.ts";

type Filter = { name: string; typed_config: Json };
// biome-ignore lint/suspicious/noExplicitAny: Envoy's configuration is a tree that is only walked here
type Tree = any;

let files = 0;

/** The first filter's configuration comes from a file that Envoy watches (ECDS), as Istio delivers it. */
export function filterFromFile(config: Json, folder: string): Json {
  const copy: Tree = structuredClone(config);
  const manager = copy.static_resources.listeners[0].filter_chains[0].filters[0].typed_config;
  const { name, typed_config }: Filter = manager.http_filters[0];
  const path = join(folder, `${files++}.json`);
  const resource = { "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", name, typed_config };
  writeFileSync(path, JSON.stringify({ version_info: "1", resources: [resource] }));
  const source = { path_config_source: { path }, resource_api_version: "V3" };
  manager.http_filters[0] = { name, config_discovery: { config_source: source, type_urls: [WASM] } };
  return { ...copy, node: { id: "bench", cluster: "bench" } };
}

/** Envoy gives freed memory back to the system, which its allocator otherwise keeps for later. */
export const givingBack = (config: Json): Json => ({
  ...config,
  memory_allocator_manager: { bytes_to_release: 64 * 2 ** 20, memory_release_interval: "1s" },
});
