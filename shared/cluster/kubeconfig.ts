import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { delimiter, join } from "node:path";
import { nearest } from "../../routes/reading/closest.ts";
import { KeywayError } from "../errors.ts";
import { type ClusterEntry, type Kubeconfig, readKubeconfig, type UserEntry } from "./kubeconfig-file.ts";

export interface ClusterChoice {
  kubeconfig?: string;
  context?: string;
  namespace?: string;
}

export type Env = Readonly<Record<string, string | undefined>>;

/** One cluster as one user of it. */
export interface ClusterAccess {
  cluster: ClusterEntry & { server: string };
  user: UserEntry;
  /** The namespace of the context. */
  namespace: string;
}

const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Finds the cluster as kubectl does: the flag, KUBECONFIG, the home's .kube/config, then the pod it runs in. */
export async function findCluster(choice: ClusterChoice, env: Env): Promise<ClusterAccess> {
  const files = filesOf(choice, env);
  const read = (await Promise.all(files.map(readKubeconfig))).filter((one) => one !== undefined);
  const config = merged(read);
  if (saysSomething(config) || choice.context !== undefined) return chosen(config, choice, files.join(delimiter));
  if (read.length === 0 && choice.kubeconfig !== undefined)
    throw nothing(`there is no kubeconfig ${choice.kubeconfig}`, choice.kubeconfig);
  if (env.KUBERNETES_SERVICE_HOST !== undefined) return inCluster(env, env.KUBERNETES_SERVICE_HOST);
  if (read.length > 0) return chosen(config, choice, files.join(delimiter));
  const what = files.length > 0 ? "none of the kubeconfigs exists" : "there is no kubeconfig";
  throw nothing(
    `no cluster to talk to: ${what} and this is no pod`,
    files.join(delimiter) || "--kubeconfig, $KUBECONFIG, ~/.kube/config",
  );
}

function saysSomething({ clusters, contexts, currentContext }: Kubeconfig): boolean {
  return clusters.size > 0 || contexts.size > 0 || currentContext !== "";
}

function nothing(what: string, where: string): KeywayError {
  return new KeywayError(what, { where, next: "name one with --kubeconfig FILE" });
}

function filesOf({ kubeconfig }: ClusterChoice, env: Env): string[] {
  if (kubeconfig !== undefined) return [kubeconfig];
  if (env.KUBECONFIG) return env.KUBECONFIG.split(delimiter).filter((file) => file !== "");
  const usual = homesOf(env, process.platform).map((home) => join(home, ".kube", "config"));
  return usual.filter(existsSync).slice(0, 1);
}

/** Where a home may be, in the order in which kubectl looks for a kubeconfig. */
export function homesOf(env: Env, platform: NodeJS.Platform): string[] {
  const drive = env.HOMEDRIVE && env.HOMEPATH ? `${env.HOMEDRIVE}${env.HOMEPATH}` : undefined;
  const homes = platform === "win32" ? [env.HOME, drive, env.USERPROFILE] : [env.HOME];
  return homes.filter((home) => home !== undefined && home !== "") as string[];
}

/** Of several files the first that has a name, or a current context, decides it. */
function merged(files: Kubeconfig[]): Kubeconfig {
  const all = <Entry>(pick: (one: Kubeconfig) => Map<string, Entry>) =>
    new Map([...files].reverse().flatMap((one) => [...pick(one)]));
  return {
    clusters: all((one) => one.clusters),
    users: all((one) => one.users),
    contexts: all((one) => one.contexts),
    currentContext: files.find(({ currentContext }) => currentContext !== "")?.currentContext ?? "",
  };
}

function chosen(config: Kubeconfig, { context }: ClusterChoice, where: string): ClusterAccess {
  const name = context ?? config.currentContext;
  const names = [...config.contexts.keys()];
  const entry = config.contexts.get(name);
  if (entry === undefined) {
    const [closest] = nearest(name, names);
    throw new KeywayError(name ? `there is no context ${name}` : "the kubeconfig names no current context", {
      where,
      next: contextHint(closest, names),
    });
  }
  const cluster = config.clusters.get(entry.cluster ?? "");
  if (cluster?.server === undefined) {
    const what = entry.cluster ? `cluster ${entry.cluster}, which has no server` : "no cluster";
    throw new KeywayError(`the context ${name} names ${what}`, { where, next: contextHint(undefined, names) });
  }
  const user = entry.user ? config.users.get(entry.user) : {};
  if (user === undefined) {
    throw new KeywayError(`the context ${name} names a user that is not there: ${entry.user}`, {
      where,
      next: "add the user to the kubeconfig, or choose another context with --context",
    });
  }
  return { cluster: { ...cluster, server: cluster.server }, user, namespace: entry.namespace || "default" };
}

function contextHint(closest: string | undefined, names: string[]): string {
  if (closest !== undefined) return `did you mean --context ${closest}?`;
  return names.length > 0 ? `choose one with --context: ${names.join(", ")}` : "name another with --kubeconfig FILE";
}

/** A pod's own account. */
async function inCluster(env: Env, host: string): Promise<ClusterAccess> {
  const namespace = await readFile(`${ACCOUNT}/namespace`, "utf8").catch(() => "default");
  return {
    cluster: {
      server: `https://${isIPv6(host) ? `[${host}]` : host}:${env.KUBERNETES_SERVICE_PORT ?? "443"}`,
      "certificate-authority": `${ACCOUNT}/ca.crt`,
    },
    user: { tokenFile: `${ACCOUNT}/token` },
    namespace: env.POD_NAMESPACE || namespace.trim(),
  };
}
