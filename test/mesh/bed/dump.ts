// What the cluster holds that does not change by itself, in a form that can be compared.
import type { Api } from "./api.ts";
import { type Kind, listedKinds } from "./kinds.ts";

type Listed = { metadata: Record<string, unknown> & { name: string; namespace?: string } };

/** Object by "group/version/resource namespace/name". */
export type Dump = Record<string, unknown>;

/** Changes by itself while nobody changes the cluster. */
const RESTLESS = new Set(["leases", "events", "componentstatuses", "ipaddresses", "apiservices"]);
/** ConfigMaps that istiod puts into each namespace, some time after it was made. */
const OF_ISTIOD = ["istio-ca-root-cert", "istio-ca-crl"];
const BOOKKEEPING = ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"];

export async function dumpCluster(api: Api): Promise<Dump> {
  const kinds = (await listedKinds(api)).filter(({ name }) => !RESTLESS.has(name));
  const parts = await Promise.all(kinds.map((kind) => dumpKind(api, kind)));
  return Object.fromEntries(parts.flat().sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function dumpKind(api: Api, { root, name }: Kind): Promise<[string, unknown][]> {
  const { items } = (await api.get(`${root}/${name}`)) as { items: Listed[] };
  const kept = name === "configmaps" ? items.filter(({ metadata }) => !OF_ISTIOD.includes(metadata.name)) : items;
  return kept.map((item): [string, unknown] => {
    const { name: itsName, namespace = "" } = item.metadata;
    return [`${root.replace(/^\/apis?\//, "")}/${name} ${namespace}/${itsName}`, withoutBookkeeping(item)];
  });
}

/** Istiod renews its leadership in it every few seconds. */
const LEADER = "control-plane.alpha.kubernetes.io/leader";

function withoutBookkeeping(item: Listed): unknown {
  const kept = Object.fromEntries(Object.entries(item.metadata).filter(([name]) => !BOOKKEEPING.includes(name)));
  const { [LEADER]: _, ...annotations } = (kept.annotations ?? {}) as Record<string, unknown>;
  return { ...item, metadata: { ...kept, annotations } };
}
