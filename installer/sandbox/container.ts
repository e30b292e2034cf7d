import type { Workload } from "../../controller/forks/baseline.ts";
import { Refused } from "../../controller/forks/refused.ts";
import { findWorkload } from "../../controller/forks/workloads.ts";
import type { ForkEntry } from "../../routes/model/sandbox.ts";
import { isForbidden } from "../../shared/cluster/api-errors.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { KeywayError } from "../../shared/errors.ts";
import type { WantedFork } from "./fork-words.ts";

/** The forks with names for all containers; a workload is looked at only where none was said. */
export async function withContainers(
  cluster: Cluster,
  namespace: string,
  forks: readonly WantedFork[],
): Promise<ForkEntry[]> {
  const named: ForkEntry[] = [];
  for (const { containers, ...fork } of forks) {
    const changes = [];
    for (const { name, ...change } of containers) {
      changes.push({ name: name ?? (await onlyContainer(cluster, fork.workload, namespace)), ...change });
    }
    named.push({ ...fork, ...(changes.length > 0 && { containers: changes }) });
  }
  return named;
}

/** The sidecar of the mesh is nobody's own. */
const SIDECARS = ["istio-proxy"];
const DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container";

async function onlyContainer(cluster: Cluster, workload: string, namespace: string): Promise<string> {
  const { metadata, spec } = (await look(cluster, workload, namespace)).spec?.template ?? {};
  const names = (spec?.containers ?? []).map(({ name }) => name).filter((name) => !SIDECARS.includes(name));
  const byDefault = metadata?.annotations?.[DEFAULT_CONTAINER];
  if (byDefault !== undefined && names.includes(byDefault)) return byDefault;
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  throw new KeywayError(`which container of ${workload}? It has ${names.join(", ")}`, {
    where: `${workload} in namespace ${namespace}`,
    next: `write --container ${names[0] ?? "NAME"} before --image and --env`,
  });
}

async function look(cluster: Cluster, workload: string, namespace: string): Promise<Workload> {
  try {
    return await findWorkload(cluster, workload, namespace);
  } catch (thrown) {
    if (thrown instanceof Refused)
      throw new KeywayError(thrown.message, { where: `--fork ${workload}`, cause: thrown });
    if (!isForbidden(thrown)) throw thrown;
    throw new KeywayError(`you may not look at ${workload}, and so its container's name is not known`, {
      where: `namespace ${namespace}`,
      next: "write --container NAME before --image and --env",
      cause: thrown,
    });
  }
}
