import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { parse } from "yaml";
import { KeywayError, reason } from "../errors.ts";

/** A cluster entry; the names are the file's own. */
export interface ClusterEntry {
  server?: string;
  "certificate-authority"?: string;
  "certificate-authority-data"?: string;
  "insecure-skip-tls-verify"?: boolean;
  "tls-server-name"?: string;
  "proxy-url"?: string;
  extensions?: { name?: string; extension?: unknown }[];
}

export interface UserEntry {
  token?: string;
  tokenFile?: string;
  username?: string;
  password?: string;
  "client-certificate"?: string;
  "client-certificate-data"?: string;
  "client-key"?: string;
  "client-key-data"?: string;
  as?: string;
  "as-uid"?: string;
  "as-groups"?: string[];
  "as-user-extra"?: Record<string, string[]>;
  exec?: ExecEntry;
  "auth-provider"?: { name?: string; config?: Record<string, string> };
}

/** A command that prints credentials. */
export interface ExecEntry {
  apiVersion?: string;
  command?: string;
  args?: string[] | null;
  env?: { name: string; value: string }[] | null;
  installHint?: string;
  provideClusterInfo?: boolean;
  interactiveMode?: "Never" | "IfAvailable" | "Always";
}

export interface ContextEntry {
  cluster?: string;
  user?: string;
  namespace?: string;
}

export interface Kubeconfig {
  clusters: Map<string, ClusterEntry>;
  users: Map<string, UserEntry>;
  contexts: Map<string, ContextEntry>;
  currentContext: string;
}

/** One file of a kubeconfig, its relative paths made absolute; undefined when there is no such file. */
export async function readKubeconfig(file: string): Promise<Kubeconfig | undefined> {
  try {
    return kubeconfigOf(parse(await readFile(file, "utf8")), dirname(file));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new KeywayError(`the kubeconfig can't be read: ${reason(cause)}`, {
      where: file,
      next: "name another with --kubeconfig FILE, or mend this one (`kubectl config view` reads it too)",
      cause,
    });
  }
}

function kubeconfigOf(content: unknown, folder: string): Kubeconfig {
  const root = content ?? {};
  if (typeof root !== "object" || Array.isArray(root))
    throw new Error("it is no mapping with clusters, users and contexts");
  const { clusters, users, contexts, "current-context": current } = root as Record<string, unknown>;
  return {
    clusters: named<ClusterEntry>(clusters, "cluster", (entry) => absolute(entry, ["certificate-authority"], folder)),
    users: named<UserEntry>(users, "user", (entry) => withAbsolutePaths(entry, folder)),
    contexts: named<ContextEntry>(contexts, "context", (entry) => entry),
    currentContext: typeof current === "string" ? current : "",
  };
}

/** A list of `{name, KIND: entry}` as a map; of two entries with one name the first counts, and an entry may be empty. */
function named<Entry>(list: unknown, kind: string, read: (entry: Entry) => Entry): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const item of Array.isArray(list) ? list : []) {
    const { name, [kind]: entry } = (item ?? {}) as Record<string, unknown>;
    if (typeof name !== "string" || entries.has(name)) continue;
    demandTexts(entry, `${kind} ${name}`);
    entries.set(name, read((entry ?? {}) as Entry));
  }
  return entries;
}

/** No entry has a number; where one stands, such as in `token: 12345`, somebody left out the quotes. */
function demandTexts(entry: unknown, what: string): void {
  for (const [field, value] of Object.entries(entry ?? {}))
    if (typeof value === "number")
      throw new Error(`${field} of ${what} is the number ${value}; put a text into quotes`);
}

function withAbsolutePaths(user: UserEntry, folder: string): UserEntry {
  const entry = absolute(user, ["client-certificate", "client-key", "tokenFile"], folder);
  const command = entry.exec?.command;
  // A bare name is looked up on the PATH.
  if (entry.exec === undefined || command === undefined || basename(command) === command) return entry;
  return { ...entry, exec: absolute(entry.exec, ["command"], folder) };
}

function absolute<Entry extends object>(entry: Entry, fields: (keyof Entry & string)[], folder: string): Entry {
  const paths = fields.flatMap((field) => {
    const path = entry[field];
    return typeof path === "string" && path !== "" ? [[field, resolve(folder, path)]] : [];
  });
  return { ...entry, ...Object.fromEntries(paths) };
}
