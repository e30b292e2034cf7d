// What istiod has heard of what the API server holds. After the API server was away, istiod follows each kind of object again at
// another moment, some only after many seconds.
import type { Api, Resource } from "./api.ts";
import { listedKinds } from "./kinds.ts";
import { gatewayObject, ISTIO_SYSTEM } from "./objects.ts";
import { until } from "./until.ts";

const DEBUG_PORT = 8080;

/** Of tokens that istiod takes. */
const AUDIENCE = "istio-ca";

type Listed = { items: { metadata: Named }[] };
type Named = { name: string; namespace?: string; resourceVersion?: string };
type Configured = { kind: string; metadata: Named };
type Registered = { Attributes: { ServiceRegistry: string; Name: string; Namespace: string } };

/** Waits until the istiod at `address` knows all Services, no others, and each object of Istio as the API server has it. */
export async function waitForIstiod(api: Api, address: string): Promise<void> {
  const token = await api.token(ISTIO_SYSTEM, "istiod", AUDIENCE);
  const asked = async (page: string): Promise<unknown> => {
    const answer = await fetch(`http://${address}:${DEBUG_PORT}/debug/${page}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (!answer.ok) throw new Error(`istiod answers ${answer.status} to /debug/${page}`);
    return await answer.json();
  };
  await until("istiod to hear of what has changed", () => nothingMissed(api, asked));
}

/**
 * Waits until the istiod at `address` follows the kinds of Istio again that tests make, after the API server was away. What it has known
 * before says nothing about that, so it has to hear of new objects.
 */
export async function waitForWatches(api: Api, address: string): Promise<void> {
  await until("the API server to take objects of Istio", () => api.apply(...PROBES).then(() => true));
  try {
    await waitForIstiod(api, address);
  } finally {
    await api.delete(...PROBES);
  }
}

/** An object of Istio in a namespace without proxies, which concerns nobody. */
const probe = (apiVersion: string, kind: string, spec: object): Resource => ({
  apiVersion,
  kind,
  metadata: { name: "nobody", namespace: "default" },
  spec,
});

const HOST = "nobody.example.com";
const NOBODY = { app: "nobody" };
const NETWORKING = "networking.istio.io/v1";
const PROBES: Resource[] = [
  probe("extensions.istio.io/v1alpha1", "WasmPlugin", {
    selector: { matchLabels: NOBODY },
    url: "oci://example.com/a:1",
  }),
  probe("networking.istio.io/v1alpha3", "EnvoyFilter", { workloadSelector: { labels: NOBODY } }),
  probe("security.istio.io/v1", "PeerAuthentication", { selector: { matchLabels: NOBODY }, mtls: { mode: "STRICT" } }),
  probe(NETWORKING, "DestinationRule", { host: HOST, exportTo: ["."] }),
  probe(NETWORKING, "Sidecar", { workloadSelector: { labels: NOBODY }, egress: [{ hosts: ["./*"] }] }),
  probe(NETWORKING, "VirtualService", {
    hosts: [HOST],
    exportTo: ["."],
    http: [{ route: [{ destination: { host: HOST } }] }],
  }),
  gatewayObject("default", "nobody"),
];

async function nothingMissed(api: Api, asked: (page: string) => Promise<unknown>): Promise<true> {
  const [services, known] = [await servicesOf(api), await knownServices(asked)];
  const [objects, knownToo] = [await objectsOf(api), await knownObjects(asked)];
  const missed = [...missing(known, services), ...missing(services, known), ...missing(knownToo, objects)];
  if (missed.length > 0) throw new Error(missed.join(", "));
  return true;
}

/** What is in `all`, and not among those. */
const missing = (those: Set<string>, all: Set<string>) => [...all].filter((one) => !those.has(one));

async function servicesOf(api: Api): Promise<Set<string>> {
  const { items } = (await api.get("/api/v1/services")) as Listed;
  return new Set(items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
}

async function knownServices(asked: (page: string) => Promise<unknown>): Promise<Set<string>> {
  const services = ((await asked("registryz")) as Registered[]).map(({ Attributes }) => Attributes);
  const ours = services.filter(({ ServiceRegistry }) => ServiceRegistry === "Kubernetes");
  return new Set(ours.map(({ Name, Namespace }) => `${Namespace}/${Name}`));
}

async function objectsOf(api: Api): Promise<Set<string>> {
  const kinds = await listedKinds(api, (group) => group.endsWith(".istio.io"));
  const lists = kinds.map(async ({ root, name, kind }) => {
    const { items } = (await api.get(`${root}/${name}`)) as Listed;
    return items.map(({ metadata }) => title(kind, metadata));
  });
  return new Set((await Promise.all(lists)).flat());
}

async function knownObjects(asked: (page: string) => Promise<unknown>): Promise<Set<string>> {
  const objects = (await asked("configz")) as Configured[];
  return new Set(objects.map(({ kind, metadata }) => title(kind, metadata)));
}

const title = (kind: string, { name, namespace, resourceVersion }: Named) =>
  `${kind} ${namespace}/${name} ${resourceVersion}`;
