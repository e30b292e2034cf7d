// The kinds of objects that the API server holds.
import type { Api } from "./api.ts";

type Groups = { groups: { name: string; versions: { groupVersion: string }[] }[] };
type Resources = { resources: { name: string; kind: string; verbs: string[] }[] };

/** `root` is the path of its API, as in /apis/apps/v1. */
export type Kind = { root: string; name: string; kind: string };

/**
 * What can be listed, each kind once, of the groups that `isOf` takes. Of several versions the first is the one that the group prefers; what
 * is served in a later one alone, as Istio's EnvoyFilter is, is listed in that.
 */
export async function listedKinds(api: Api, isOf = (_group: string) => true): Promise<Kind[]> {
  const { groups } = (await api.get("/apis")) as Groups;
  const core = { name: "", roots: ["/api/v1"] };
  const others = groups.map(({ name, versions }) => {
    return { name, roots: versions.map(({ groupVersion }) => `/apis/${groupVersion}`) };
  });
  const asked = [core, ...others].filter(({ name }) => isOf(name));
  return (await Promise.all(asked.map(({ roots }) => kindsAt(api, roots)))).flat();
}

async function kindsAt(api: Api, roots: string[]): Promise<Kind[]> {
  const lists = roots.map(async (root) => {
    const { resources } = (await api.get(root)) as Resources;
    return resources.filter(({ verbs }) => verbs.includes("list")).map(({ name, kind }) => ({ root, name, kind }));
  });
  const all = (await Promise.all(lists)).flat();
  return all.filter(({ name }, at) => all.findIndex((one) => one.name === name) === at);
}
