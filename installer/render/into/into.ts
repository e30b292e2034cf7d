// Keyway in a user's own Envoy configuration: the whole of it, a listener, or a file of listeners or routes.
import { isMap, type YAMLMap } from "yaml";
import { ConfigurationError } from "../../../routes/reading/diagnostic.ts";
import { UsageError } from "../../../shared/errors.ts";
import type { TwinOptions, TwinRemark } from "../../twins/twins.ts";
import { type Place, readText, type Text } from "../../yaml-edit/text.ts";
import { putCluster, type TableCluster } from "./cluster.ts";
import { type Desired, filtersBehind, putFilter, putTraceIds, putWatcher } from "./filter.ts";
import { findIn, type Manager } from "./find.ts";
import { child, itemsAt, valueAt } from "./nodes.ts";
import { putTwins } from "./routes.ts";

export interface Choice {
  /** Names of listeners and of virtual hosts; all where there is none. */
  listeners: readonly string[];
  virtualHosts: readonly string[];
}

export interface Into {
  text: string;
  /** What could not be done, in the order of the file. */
  remarks: readonly IntoRemark[];
}

export interface IntoRemark {
  at: Place;
  message: string;
}

interface Work extends Text {
  desired: Desired;
  choice: Choice;
  twins: TwinOptions;
  remarks: IntoRemark[];
  hosts: Set<string>;
}

/** The file with Keyway in it. Throws a ConfigurationError where the text is no Envoy configuration with a place for it. */
export function into(text: string, desired: Desired, choice: Choice, twins: Pick<TwinOptions, "proof">): Into {
  const file = readText(text);
  const { managers, routeConfigurations, opaque } = findIn(file.document);
  if (managers.length + routeConfigurations.length + opaque.length === 0)
    throw new ConfigurationError([
      { path: [], message: "no HTTP connection manager and no route configuration in it", at: { line: 1, col: 1 } },
    ]);
  const { listeners, virtualHosts } = choice;
  const includes = (name: string) => virtualHosts.length === 0 || virtualHosts.includes(name);
  const work: Work = { ...file, desired, choice, twins: { ...twins, includes }, remarks: [], hosts: new Set() };
  const chosen = managers.filter(({ listener }) => listeners.length === 0 || listeners.includes(listener ?? ""));
  demand("listener", listeners, new Set(managers.flatMap(({ listener }) => listener ?? [])));
  for (const manager of chosen) putManager(work, manager);
  for (const node of routeConfigurations) putRoutes(work, node, undefined);
  for (const { node, listener } of opaque)
    remark(work, node, `${listenerWords(listener)}: a connection manager in a TypedStruct is not changed`);
  demand("virtual host", virtualHosts, work.hosts);
  if (desired.tableCluster && chosen.length > 0) putTableCluster(work, desired.tableCluster, chosen);
  remarkClusters(work);
  return { text: file.serialize(), remarks: work.remarks };
}

function demand(kind: string, wanted: readonly string[], there: ReadonlySet<string>): void {
  const absent = wanted.find((name) => !there.has(name));
  if (absent === undefined) return;
  const names = [...there].filter(Boolean).join(", ");
  throw new UsageError(`the file has no ${kind} ${absent}`, {
    next: names ? `it has ${names}` : `it names no ${kind}`,
  });
}

function putManager(work: Work, { node, listener }: Manager): void {
  const { document, desired } = work;
  const where = listenerWords(listener);
  if (!putFilter(document, node, desired)) {
    remark(work, node, `${where}: it has no HTTP filters, not even a router, so Keyway has no place there`);
    return;
  }
  putWatcher(document, node, desired);
  putTraceIds(document, node, desired);
  const inline = child(document, node, "route_config");
  const scoped = child(document, child(document, node, "scoped_routes"), "scoped_route_configurations_list");
  const scopes = itemsAt(document, scoped, "scoped_route_configurations").map((scope) =>
    child(document, scope, "route_configuration"),
  );
  const routeConfigurations = [inline, ...scopes].filter(isMap);
  for (const routes of routeConfigurations) putRoutes(work, routes, node);
  if (routeConfigurations.length === 0) remark(work, node, `${where}: ${elsewhere(work, node)}`);
}

/** Where the routes of a connection manager without any of its own are. */
function elsewhere({ document }: Work, node: YAMLMap): string {
  const name = valueAt(document, node, "rds", "route_config_name");
  const path = valueAt(document, node, "rds", "config_source", "path_config_source", "path");
  if (path !== undefined) return `its routes are in ${path}; run this command on that file, too`;
  const source = name === undefined ? "from a control plane" : `as ${name} from a control plane`;
  return `its routes come ${source}, which has to make the twins and take off x-keyway-cluster; until then keyed requests go to the baseline`;
}

function putRoutes(work: Work, node: YAMLMap, manager: YAMLMap | undefined): void {
  const { document } = work;
  for (const host of itemsAt(document, node, "virtual_hosts")) work.hosts.add(String(valueAt(document, host, "name")));
  const behind = manager && filtersBehind(document, manager);
  for (const one of putTwins(document, node, work.twins)) {
    const message = inWords(one, behind);
    if (message !== undefined) work.remarks.push({ at: work.place(one.offset), message });
  }
}

/** A bucket of its own matters only where the filter stands behind Keyway; `behind` is undefined where that is not known. */
function inWords({ kind, what, why }: TwinRemark, behind: readonly string[] | undefined): string | undefined {
  if (kind === "no-twin") return `${what}: ${why}; its keyed requests go to the baseline`;
  if (kind === "elsewhere") return `${what}: ${why}`;
  if (behind !== undefined && !behind.includes(why)) return undefined;
  const where = behind === undefined ? `where ${why} stands behind Keyway` : `${why} stands behind Keyway, so`;
  return `${what}: ${where} a key gets a second allowance; move ${why} before Keyway among the HTTP filters`;
}

function putTableCluster(work: Work, cluster: TableCluster, [first]: readonly Manager[]): void {
  if (first === undefined || putCluster(work.document, cluster)) return;
  remark(
    work,
    first.node,
    `no clusters in this file: put what \`--part cluster\` prints, ${cluster.name}, where they come from, else there is no live table`,
  );
}

/** Clusters that the routes name and that a file with all of its clusters does not have. */
function remarkClusters(work: Work): void {
  const { document, desired } = work;
  const root = document.contents;
  const resources = child(document, root, "static_resources");
  if (!isMap(resources) || child(document, child(document, root, "dynamic_resources"), "cds_config")) return;
  const there = new Set(itemsAt(document, resources, "clusters").map((one) => valueAt(document, one, "name")));
  for (const name of desired.clusters)
    if (!there.has(name)) remark(work, resources, `no cluster ${name}, which a route names`);
}

function remark(work: Work, node: YAMLMap, message: string): void {
  work.remarks.push({ at: work.place(node.range?.[0] ?? 0), message });
}

function listenerWords(listener: string | undefined): string {
  return listener ? `listener ${listener}` : "a listener without a name";
}
