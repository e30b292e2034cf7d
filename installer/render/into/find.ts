// Where in a file Keyway has a place: its HTTP connection managers, and route configurations that stand by themselves.
import { type Document, isAlias, isMap, isSeq, type Pair, type YAMLMap } from "yaml";
import { child, plainOf, valueAt } from "./nodes.ts";

export interface Manager {
  node: YAMLMap;
  /** The name of its listener; undefined where the file has no listener around it. */
  listener: string | undefined;
}

export interface Found {
  managers: Manager[];
  /** Route configurations outside of any connection manager, as an RDS file has them. */
  routeConfigurations: YAMLMap[];
  /** Connection managers in a form that is not read here. */
  opaque: { node: YAMLMap; listener: string | undefined }[];
}

const MANAGER = /\.HttpConnectionManager$/;
const ROUTE_CONFIGURATION = /\.RouteConfiguration$/;
const LISTENER_FIELDS = ["filter_chains", "default_filter_chain", "api_listener"];

export function findIn(document: Document): Found {
  const found: Found = { managers: [], routeConfigurations: [], opaque: [] };
  const seen = new Set<unknown>();
  const visit = (alias: unknown, listener: string | undefined): void => {
    const node = isAlias(alias) ? alias.resolve(document) : alias;
    if (seen.has(node)) return;
    seen.add(node);
    if (isSeq(node)) for (const item of node.items) visit(item, listener);
    if (!isMap(node)) return;
    const type = String(plainOf(document, node.get("@type", true)) ?? "");
    if (MANAGER.test(type)) found.managers.push({ node, listener });
    else if (MANAGER.test(String(valueAt(document, node, "type_url") ?? ""))) found.opaque.push({ node, listener });
    else if (ROUTE_CONFIGURATION.test(type) || node === routeConfigurationAlone(document))
      found.routeConfigurations.push(node);
    else for (const { value } of node.items as Pair[]) visit(value, nameOf(document, node) ?? listener);
  };
  visit(document.contents, undefined);
  return found;
}

/** A file may be one route configuration, without a type. */
function routeConfigurationAlone(document: Document): unknown {
  return isMap(document.contents) && child(document, document.contents, "virtual_hosts")
    ? document.contents
    : undefined;
}

/** The name of a listener; undefined for anything else. */
function nameOf(document: Document, node: YAMLMap): string | undefined {
  if (LISTENER_FIELDS.every((field) => child(document, node, field) === undefined)) return undefined;
  const name = valueAt(document, node, "name");
  return typeof name === "string" ? name : "";
}
