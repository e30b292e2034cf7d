import type { InForce } from "../feed/counting.ts";
import type { Feed, ProxyFilter } from "../feed/feed.ts";
import type { Missing, Peers } from "./peers.ts";

export interface InForceEverywhere extends InForce {
  /** Servers whose proxies are counted, where there may be others than this one. */
  servers?: number;
  /** Servers whose proxies are not counted. */
  missing?: Missing[];
}

/** Counts the proxies of all servers on the store, each proxy once. */
export async function inForceEverywhere(
  { feed, peers }: { feed: Feed; peers: Peers | undefined },
  revision: number | undefined,
  filter: ProxyFilter,
): Promise<InForceEverywhere> {
  if (peers === undefined) return feed.inForce(revision, filter);
  const { servers, missing } = await peers.ask();
  return { ...(await feed.inForceAt(servers, revision, filter)), servers: 1 + servers.length, missing };
}
