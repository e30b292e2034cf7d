import { atOnce } from "../../shared/at-once.ts";
import type { ProxyAdmin } from "./proxy-admin.ts";

/** Names asked for at once, so that the question stays short. */
const AT_ONCE = 40;

/** Why requests can't reach a cluster from a proxy: it is not there, or nobody healthy is behind it. */
export type Missing = "the proxy has no such cluster" | "no healthy endpoint";

/** Which of some clusters a proxy can't send requests to, and why. */
export async function missingClusters(proxy: ProxyAdmin, clusters: readonly string[]): Promise<Map<string, Missing>> {
  if (clusters.length === 0) return new Map();
  const known = await proxy.clusters();
  const there = clusters.filter((cluster) => known.has(cluster));
  const parts = Array.from({ length: Math.ceil(there.length / AT_ONCE) }, (_, index) =>
    there.slice(index * AT_ONCE, (index + 1) * AT_ONCE),
  );
  const healthy = new Map(
    (await atOnce(4, parts, (names) => proxy.healthyEndpoints(names))).flatMap((one) => [...one]),
  );
  return new Map(
    clusters.flatMap((cluster): [string, Missing][] => {
      if (!known.has(cluster)) return [[cluster, "the proxy has no such cluster"]];
      return healthy.get(cluster) === 0 ? [[cluster, "no healthy endpoint"]] : [];
    }),
  );
}
