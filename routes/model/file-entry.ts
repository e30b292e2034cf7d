import type { LiveRoute } from "./live-route.ts";
import type { Reference, Share } from "./model.ts";
import { ANY_BASELINE } from "./names.ts";

/** A route of the live table as an entry of a route file. It has an id where one was given to it. */
export interface FileEntry extends Omit<LiveRoute, "id" | "from"> {
  service: Reference;
  id?: string;
}

/** The order in which the fields of an entry are written. */
const FIELDS = [
  ...(["service", "key", "when", "split", "sticky", "to", "expires", "missing"] as const),
  ...(["id", "workload", "owner", "labels"] as const),
] satisfies (keyof FileEntry)[];

/** Clusters become `{cluster: NAME}`: an entry of a route file names services, or says that it doesn't. */
export function toFileEntry({ from, ...route }: LiveRoute): FileEntry {
  const entry = from === undefined ? route : { ...route, ...retarget(route, asCluster), service: baseline(from) };
  const fields = FIELDS.flatMap((name) => (entry[name] === undefined ? [] : [[name, entry[name]]]));
  return Object.fromEntries(fields) as FileEntry;
}

/** A route that names nothing but clusters is one from a cluster. */
export function fromFileEntry(route: LiveRoute): LiveRoute {
  const { service, ...rest } = route;
  const from = service === ANY_BASELINE ? service : clusterIn(service);
  const targets = route.split?.map(({ to }) => to) ?? [route.to];
  if (from === undefined || targets.some((to) => clusterIn(to) === undefined)) return route;
  return { ...rest, from, ...retarget(rest, (to) => clusterIn(to) ?? to) };
}

type Targets = { to?: Reference; split?: Share<Reference>[] };

function retarget({ to, split }: Targets, change: (to: Reference) => Reference): Targets {
  return {
    ...(to !== undefined && { to: change(to) }),
    ...(split && { split: split.map((share) => ({ ...share, to: change(share.to) })) }),
  };
}

const baseline = (from: string): Reference => (from === ANY_BASELINE ? from : { cluster: from });

const asCluster = (to: Reference): Reference => (typeof to === "string" ? { cluster: to } : to);

function clusterIn(reference: Reference | undefined): string | undefined {
  return typeof reference === "object" && "cluster" in reference ? reference.cluster : undefined;
}
