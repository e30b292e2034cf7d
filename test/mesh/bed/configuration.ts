// What an Envoy has been told, resource by resource, from its /config_dump, in a form that can be compared: without the
// numbers and times of the pushes that told it, and without its own bootstrap.

/** Resource by "KIND NAME". */
export type Configuration = Record<string, unknown>;

type Json = { [name: string]: Json } | Json[] | string | number | boolean | null;

const OF_THE_PUSH = new Set(["version_info", "last_updated"]);
const RESOURCES = ["listener", "cluster", "route_config", "ecds_filter", "secret"];

export function configurationOf(dump: string): Configuration {
  const { configs } = JSON.parse(dump, (_, value) => ordered(value)) as { configs: Json[] };
  const found = configs.flatMap(resources).map(({ kind, resource }): [string, unknown] => {
    const { name, address } = resource;
    return [`${kind} ${name ?? JSON.stringify(address)}`, resource];
  });
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Envoy prints the entries of a map in any order. */
function ordered(value: Json): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const kept = Object.entries(value).filter(([name]) => !OF_THE_PUSH.has(name));
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
}

type Found = { kind: string; resource: { [name: string]: Json } };

/** The resources anywhere in one part of the dump, not those within resources. */
function resources(part: Json): Found[] {
  if (typeof part !== "object" || part === null) return [];
  if (Array.isArray(part)) return part.flatMap(resources);
  return Object.entries(part).flatMap(([name, value]) => {
    if (!RESOURCES.includes(name)) return resources(value);
    return [{ kind: name, resource: value as { [name: string]: Json } }];
  });
}
