import { readFile } from "node:fs/promises";
import { Cluster } from "../../shared/cluster/cluster.ts";
import { KeywayError, reason } from "../../shared/errors.ts";
import type { Io } from "../../shared/io.ts";
import type { Settings } from "../settings.ts";
import { type Directory, Peers } from "./peers.ts";
import { ServiceDirectory } from "./service.ts";

interface Parts {
  serverId: string;
  settings: Pick<Settings, "peers" | "peersTokenFile">;
  /** Where the routes are in Kubernetes. */
  cluster: Cluster | undefined;
  env: Io["env"];
  signal: AbortSignal;
}

/** Undefined where this server is the only one. */
export async function openPeers({
  serverId,
  settings,
  cluster: known,
  env,
  signal,
}: Parts): Promise<Peers | undefined> {
  const { peers, peersTokenFile } = settings;
  if (peers === undefined) return undefined;
  const fromFile = peersTokenFile === undefined ? undefined : () => authorizationIn(peersTokenFile);
  if (Array.isArray(peers)) {
    const all = peers.map((url) => ({ url, isReady: true }));
    const directory: Directory = { find: async () => all, close: async () => {} };
    return new Peers({ serverId, directory, authorization: fromFile ?? (async () => undefined), signal });
  }
  const rightsHint =
    "the account of this server needs to list and watch EndpointSlices in the namespace that --peers names";
  const cluster = known ?? (await Cluster.connect({}, env, { signal, fieldManager: "keyway-server", rightsHint }));
  const directory = new ServiceDirectory(cluster, peers.namespace, peers.service);
  return new Peers({ serverId, directory, authorization: fromFile ?? (() => ownToken(cluster, signal)), signal });
}

/** The token with which this server asks the API server, by which the others know it as one that may read Routes. */
async function ownToken(cluster: Cluster, signal: AbortSignal): Promise<string | undefined> {
  const { authorization } = (await cluster.transport.dial(signal)).headers;
  return typeof authorization === "string" && authorization.startsWith("Bearer ") ? authorization : undefined;
}

/** Read anew each time, as tokens are replaced. */
async function authorizationIn(file: string): Promise<string> {
  try {
    return `Bearer ${(await readFile(file, "utf8")).trim()}`;
  } catch (cause) {
    throw new KeywayError(`can't read the token for the other servers: ${reason(cause)}`, {
      where: file,
      next: "name a file that holds a token with the role read: --peers-token-file FILE",
      cause,
    });
  }
}
