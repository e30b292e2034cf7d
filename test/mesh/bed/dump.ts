// Everything that the cluster holds, in a form that can be compared.
import type { Api } from "./api.ts";

type Listed = { metadata: Record<string, unknown> & { name: string; namespace?: string } };
type Resources = { resources: { name: string; verbs: string[] }[] };
type Groups = { groups: { preferredVersion: { groupVersion: string } }[] };

/** Object by "group/version/resource namespace/name". */
export type Dump = Record<string, unknown>;

/** Changes by itself while nobody changes the cluster. */
const RESTLESS = new Set(["leases", "events", "componentstatuses", "ipaddresses", "apiservices"]);
const BOOKKEEPING = ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"];

export async function dumpCluster(api: Api): Promise<Dump> {
  const { groups } = (await api.get("/apis")) as Groups;
  const roots = ["/api/v1", ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`)];
  const parts = await Promise.all(roots.map((root) => dumpGroup(api, root)));
  return Object.fromEntries(parts.flat().sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function dumpGroup(api: Api, root: string): Promise<[string, unknown][]> {
  const { resources } = (await api.get(root)) as Resources;
  const kept = resources.filter(({ name, verbs }) => verbs.includes("list") && !RESTLESS.has(name));
  const lists = kept.map(async ({ name }) => {
    const { items } = (await api.get(`${root}/${name}`)) as { items: Listed[] };
    return items.map((item): [string, unknown] => {
      const { name: itsName, namespace = "" } = item.metadata;
      return [`${root.replace(/^\/apis?\//, "")}/${name} ${namespace}/${itsName}`, withoutBookkeeping(item)];
    });
  });
  return (await Promise.all(lists)).flat();
}

/** Istiod renews its leadership in it every few seconds. */
const LEADER = "control-plane.alpha.kubernetes.io/leader";

function withoutBookkeeping(item: Listed): unknown {
  const kept = Object.fromEntries(Object.entries(item.metadata).filter(([name]) => !BOOKKEEPING.includes(name)));
  const { [LEADER]: _, ...annotations } = (kept.annotations ?? {}) as Record<string, unknown>;
  return { ...item, metadata: { ...kept, annotations } };
}
