// The cluster of route servers among a file's own clusters.
import { isDeepStrictEqual } from "node:util";
import { type Document, isMap } from "yaml";
import { respelled, type Spelling } from "../../twins/spelling.ts";
import type { tableCluster } from "../table.ts";
import { append, child, itemsAt, put, valueAt } from "./nodes.ts";

export type TableCluster = ReturnType<typeof tableCluster>;

/** Puts the cluster in, or brings the addresses of the one that is there up to date. False: this file is not where clusters are. */
export function putCluster(document: Document, cluster: TableCluster): boolean {
  const root = document.contents;
  const resources = child(document, root, "static_resources");
  if (!isMap(root) || !isMap(resources)) return false;
  const spelling: Spelling = root.has("staticResources") ? "camel" : "snake";
  const own = itemsAt(document, resources, "clusters").find((one) => valueAt(document, one, "name") === cluster.name);
  const desired = respelled(cluster, spelling);
  if (isMap(own)) {
    const assignment = valueAt(document, own, "load_assignment");
    if (isDeepStrictEqual(addressesIn(assignment), addressesIn(cluster.load_assignment))) return true;
    for (const [name, value] of Object.entries(desired))
      if (["type", "load_assignment", "loadAssignment"].includes(name)) put(document, own, name, value, spelling);
    return true;
  }
  append(document, resources, "clusters", desired, spelling);
  return true;
}

/** All addresses in a value, in their order, whatever their fields' spelling. */
function addressesIn(value: unknown): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  const socket =
    "socket_address" in value ? value.socket_address : "socketAddress" in value ? value.socketAddress : undefined;
  if (typeof socket === "object" && socket !== null) {
    const { address, port_value, portValue } = socket as {
      address?: unknown;
      port_value?: unknown;
      portValue?: unknown;
    };
    return [[address, Number(port_value ?? portValue)]];
  }
  return Object.values(value).flatMap(addressesIn);
}
