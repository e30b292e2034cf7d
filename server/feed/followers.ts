// The proxies that follow their tables at several servers, each of them once.

/** A proxy that follows a table, as the server knows it that is asked for the table. Times are milliseconds of one steady clock. */
export interface Follower {
  /** HOST:PORT of its connection. */
  address: string;
  scope: string;
  /** Of its table, in hexadecimal; undefined where that is not whole. */
  digest: string | undefined;
  /** When it came to the server; one that comes back after a pause, or from elsewhere, has come then. */
  cameAt: number;
  /** When it was answered; undefined while it waits for its answer. */
  answeredAt: number | undefined;
}

/** Milliseconds without a question after which a proxy that was fetching its table is looked for elsewhere. */
const LOADING_MS = 2000;

interface Placed {
  server: number;
  one: Follower;
}

/**
 * The followers of each server, in order, without those that have moved to another one: who was answered here, has not asked again, and has
 * come to another server since then, from the same host and for the same scope. Whoever has come is one of those that have moved, at most.
 */
export function withoutMoved(servers: readonly (readonly Follower[])[], now: number): Follower[][] {
  const placed = servers.flatMap((followers, server) => followers.map((one): Placed => ({ server, one })));
  const moved = new Set<Follower>();
  for (const there of Map.groupBy(placed, placeOf).values()) {
    if (there.length < 2) continue;
    const arrivals = there.toSorted((a, b) => a.one.cameAt - b.one.cameAt);
    const idle = there.filter(({ one }) => one.answeredAt !== undefined);
    for (const left of idle.sort((a, b) => Number(a.one.answeredAt) - Number(b.one.answeredAt))) {
      const at = arrivals.findIndex(
        (to) => to.server !== left.server && !moved.has(to.one) && isSame(left.one, to.one, now),
      );
      if (at < 0) continue;
      moved.add(left.one);
      arrivals.splice(at, 1);
    }
  }
  return servers.map((followers) => followers.filter((one) => !moved.has(one)));
}

const placeOf = ({ one }: Placed) => `${one.address.replace(/:\d+$/, "")} ${one.scope}`;

function isSame({ digest, ...left }: Follower, to: Follower, now: number): boolean {
  const answeredAt = left.answeredAt ?? now;
  if (to.cameAt > answeredAt) return true;
  // Pages of one table may come from several servers by turns, so quickly that nobody sees a pause.
  return digest === undefined && answeredAt < now - LOADING_MS && to.answeredAt === undefined;
}
