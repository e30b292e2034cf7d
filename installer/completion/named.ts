// Words of the live table, for completion: few, soon, or none.
import type { StoredRoute } from "../../routes/model/live-route.ts";
import type { Io } from "../../shared/io.ts";
import { within } from "../../shared/net/limit.ts";
import { parseServer, type TableFlags } from "../cli/table-flags.ts";
import type { Candidate, Named, OfRoutes, OfSandboxes } from "./candidates.ts";

/** Milliseconds after which nothing is completed rather than that a person waits. */
const PATIENCE = 800;
const MOST = 500; // words

/** Words that name things of the table that the command line and the environment name; none where it can't be asked. */
export async function namedCandidates(named: Named, words: readonly string[], unlimited: Io): Promise<Candidate[]> {
  const io = {
    ...unlimited,
    signal: within(unlimited.signal, PATIENCE, new Error("nobody waits longer for a completion")),
  };
  try {
    if (named === "sandbox" || named === "sandbox key") return await ofSandboxes(named, words, io);
    const { openTable } = await import("../route-table/open.ts");
    const table = await openTable(flagsIn(words), io);
    const { routes } = await table.list({}, (count) => {
      if (count > MOST_READ) throw new Error("there are too many to choose from");
    });
    const found = new Map(
      routes.flatMap((route) => wordsOf(named, route as StoredRoute)).map((one) => [one.word, one]),
    );
    return begunBy(words, [...found.values()]);
  } catch {
    return [];
  }
}

async function ofSandboxes(named: OfSandboxes, words: readonly string[], io: Io): Promise<Candidate[]> {
  const { connectForSandboxes } = await import("../cli/sandbox-flags.ts");
  const { Sandboxes } = await import("../sandbox/in-cluster.ts");
  const flags = flagsIn(words);
  const cluster = await connectForSandboxes(flags, io);
  const sandboxes = await new Sandboxes(cluster).list(flags.namespace ?? cluster.namespace);
  return begunBy(
    words,
    sandboxes.map(({ metadata: { name }, spec: { key = name } }) =>
      named === "sandbox" ? { word: name, meaning: key === name ? "" : key } : { word: key, meaning: name },
    ),
  );
}

function begunBy(words: readonly string[], candidates: readonly Candidate[]): Candidate[] {
  const begun = words.at(-1) ?? "";
  return candidates.filter(({ word }) => word.startsWith(begun)).slice(0, MOST);
}

/** Routes beyond which the table is not read for a completion. */
const MOST_READ = 5000;

function wordsOf(named: OfRoutes, { id, key, owner, service, from, labels = {} }: StoredRoute): Candidate[] {
  const what = [key, typeof service === "string" ? service : from].filter((one) => one !== undefined).join(" of ");
  if (named === "id") return [{ word: id, meaning: what }];
  if (named === "key") return key === undefined ? [] : [{ word: key, meaning: "" }];
  if (named === "owner") return owner === undefined ? [] : [{ word: owner, meaning: "" }];
  if (named === "label")
    return Object.entries(labels).map(([name, value]) => ({ word: `${name}=${value}`, meaning: "" }));
  return typeof service === "string" && service !== "*" ? [{ word: service, meaning: "" }] : [];
}

/** The flags that say where the routes are, as far as they are typed. */
function flagsIn(words: readonly string[]): TableFlags {
  const typed = (...names: string[]) => {
    for (const [index, word] of words.entries()) {
      const [name = "", value = words[index + 1]] = word.split(/=(.*)/s);
      if (names.includes(name) && value !== undefined && value !== "") return value;
    }
    return undefined;
  };
  const flags = {
    token: typed("--token"),
    tokenFile: typed("--token-file"),
    routes: typed("-f", "--routes"),
    namespace: typed("-n", "--namespace"),
    kubeconfig: typed("--kubeconfig"),
    context: typed("--context"),
    kube: words.includes("--kube") || undefined,
  };
  const server = typed("--server");
  const known = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined && value !== "-"));
  return { ...known, ...(server !== undefined && { server: parseServer(server) }) };
}
