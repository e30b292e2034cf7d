// The rights that a server has only while a setting asks for them: in the namespaces whose pods' versions it follows, and for Amalgam8's clients.
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { type KubeObject, title } from "../../shared/cluster/object.ts";
import { amalgam8Objects, overridesObjects } from "../manifests/server/objects.ts";
import { SERVER_LABEL, type ServerChoice } from "../manifests/server/server.ts";

/** Those that there are and that the server does not take any more; all of them where it takes none. */
export async function leftRights(
  cluster: Cluster,
  choice: Pick<ServerChoice, "namespace">,
  wanted: readonly KubeObject[] = [],
): Promise<KubeObject[]> {
  const names = new Set(wanted.map(title));
  const asked = [...overridesObjects(choice, "any"), ...amalgam8Objects(choice)];
  const kinds = asked.map(({ apiVersion = "", kind = "", metadata }) => {
    return { apiVersion, kind, name: metadata?.name };
  });
  const found = await Promise.all(
    kinds.map(async ({ apiVersion, kind, name }) => {
      const labelSelector = `${SERVER_LABEL}=${choice.namespace}`;
      const all = await cluster.list<KubeObject>(apiVersion, kind, { labelSelector });
      return all.filter(({ metadata }) => metadata?.name === name).map((one) => ({ ...one, apiVersion, kind }));
    }),
  );
  return found.flat().filter((one) => !names.has(title(one)));
}
