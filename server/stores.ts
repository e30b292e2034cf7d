import { readFileSync } from "node:fs";
import type { Logger } from "pino";
import type { Resources } from "../controller/surroundings.ts";
import { Cluster } from "../shared/cluster/cluster.ts";
import { KeywayError, reason, UsageError } from "../shared/errors.ts";
import type { Io } from "../shared/io.ts";
import type { Authenticator } from "./auth/authenticator.ts";
import { KubernetesTokens } from "./auth/kubernetes.ts";
import { flagOf, type SettingName, type Settings } from "./settings.ts";
import { EtcdStore } from "./store/etcd/store.ts";
import { WatchedServices } from "./store/kubernetes/services.ts";
import { KubernetesStore } from "./store/kubernetes/store.ts";
import { SqliteStore } from "./store/sqlite/store.ts";
import type { Store } from "./store/store.ts";

/** The cluster that the routes are in, and the namespace whose Routes have their names for ids. */
export interface KubernetesPlace {
  cluster: Cluster;
  namespace: string;
  resources: Resources;
}

export interface Opened {
  store: Store;
  /** The services that the store's surroundings have; undefined where nobody knows any. */
  services?: WatchedServices;
  /** Kubernetes' own tokens, where the routes are there. */
  authenticator?: Authenticator;
  kubernetes?: KubernetesPlace;
}

/** What goes wrong as long as something can't be read. */
const WITHOUT = {
  Services: "routes that say no port are in no table of proxies on Istio",
  EndpointSlices: "routes to targets without a ready pod are in tables as if they were ready",
};

/** The store that the setting names: `sqlite:FILE`, `kubernetes[:NAMESPACE]` or `etcd:URL,URL`. */
export async function openStore(
  settings: Settings,
  { env }: Pick<Io, "env">,
  log: Logger,
  signal: AbortSignal,
): Promise<Opened> {
  const [, kind, rest = ""] = /^([a-z]+)(?::(.*))?$/s.exec(settings.store) ?? [];
  if (kind === "sqlite") return { store: new SqliteStore(rest) };
  if (kind === "etcd") return { store: etcdStore(rest, settings) };
  const rightsHint =
    "have an administrator apply what `keyway render rbac --server -n NAMESPACE --service-account NAMESPACE/NAME` prints";
  const cluster = await Cluster.connect({}, env, { signal, fieldManager: "keyway-server", rightsHint });
  const services = new WatchedServices(cluster, {
    withReadiness: settings.readiness === "endpoints",
    settleMs: settings.settle * 1000,
    failed: (what, why) => log.error({ why }, `the ${what} can't be read: ${WITHOUT[what]}`),
  });
  await services.start();
  const namespace = rest || cluster.namespace;
  const invalid = (route: string, why: string) => log.warn({ route, why }, "this Route is none, and passed over");
  const authenticator = new KubernetesTokens(cluster, namespace, settings.anonymous ?? []);
  const withoutSandboxes = (why: string) => log.error({ why }, "Sandboxes can't be read: none of them is in force");
  const store = new KubernetesStore({ cluster, namespace, invalid, withoutSandboxes });
  services.onChange = (changes, version) => store.tellServices(changes, version);
  return { store, services, authenticator, kubernetes: { cluster, namespace, resources: store.resources } };
}

function etcdStore(urls: string, settings: Settings): Store {
  const { etcdUser: user } = settings;
  const contents = {
    password: contentOf("etcdPasswordFile", settings)?.trimEnd(),
    ca: contentOf("etcdCa", settings),
    cert: contentOf("etcdCert", settings),
    key: contentOf("etcdKey", settings),
  };
  const given = Object.fromEntries(Object.entries({ user, ...contents }).filter(([, value]) => value !== undefined));
  return new EtcdStore({ endpoints: urls.split(",").map(endpointOf), ...given });
}

function endpointOf(text: string): string {
  const url = URL.parse(text.trim());
  if (url && /^https?:$/.test(url.protocol) && url.pathname === "/" && !url.search && !url.username) return url.origin;
  throw new UsageError(`--store: ${JSON.stringify(text)} is no address of etcd`, {
    next: "name its members like etcd:http://10.0.0.1:2379,http://10.0.0.2:2379; user and password are settings of their own",
  });
}

function contentOf(name: SettingName & keyof Settings, settings: Settings): string | undefined {
  const file = settings[name];
  if (file === undefined) return undefined;
  try {
    return readFileSync(String(file), "utf8");
  } catch (thrown) {
    throw new KeywayError(`${flagOf(name)}: ${reason(thrown)}`, {
      where: String(file),
      next: "name a file that can be read",
    });
  }
}
