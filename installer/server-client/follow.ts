// Follows the table of a route server over broken connections.
import type { StoredRoute } from "../../routes/model/live-route.ts";
import { KeywayError } from "../../shared/errors.ts";
import { pause } from "../../shared/net/limit.ts";
import type { RouteServer } from "./client.ts";
import { eventsIn, type ServerEvent } from "./events.ts";
import { parsed, ServerRefusal } from "./refusal.ts";

export type TableEvent =
  | { event: "set"; route: StoredRoute }
  /** Of a route that went long ago the id alone is known. */
  | { event: "delete"; route: Pick<StoredRoute, "id"> & Partial<StoredRoute> }
  /** Everything that was there has been told. */
  | { event: "synced"; revision: number }
  /** The routes that there are come anew: what went meanwhile is not told. */
  | { event: "reset" };

export interface Following {
  signal: AbortSignal;
  /** The revision after which changes are told; the routes that there are come first unless it is given. */
  since: number | undefined;
  /** Hears why a connection ended, and how many milliseconds later the next one is tried. */
  broken(why: string, wait: number): void;
  /** Hears that the changes come again. */
  resumed(): void;
}

const SILENCE = 60_000; // ms; the server gives a sign of life each 15 s
const FIRST_PAUSE = 100; // ms, doubled at each try
const LONGEST_PAUSE = 5_000; // ms

/**
 * Tells events until the signal is aborted, which it throws the reason of. The first connection must succeed; later ones are tried until they do,
 * unless the server refuses them.
 */
export async function* follow(
  server: RouteServer,
  { signal, since, broken, resumed }: Following,
): AsyncGenerator<TableEvent, void> {
  let last = since === undefined ? undefined : String(since);
  let failures = 0;
  let connected = false;
  let down = false;
  for (;;) {
    try {
      for await (const event of eventsOf(server, last, signal)) {
        if (down) resumed();
        down = false;
        failures = 0;
        connected = true;
        last = event.id ?? last;
        const told = toTableEvent(event);
        if (told) yield told;
      }
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof ServerRefusal && thrown.status === 410 && last !== undefined) {
        last = undefined;
        yield { event: "reset" };
        continue;
      }
      const refused = thrown instanceof ServerRefusal && thrown.status < 500;
      if (!connected || refused) throw thrown;
      down = true;
      broken(thrown instanceof KeywayError ? thrown.message : "the connection was cut", pauseAfter(failures));
    }
    await pause(pauseAfter(failures++), signal);
  }
}

const pauseAfter = (failures: number): number => Math.min(FIRST_PAUSE * 2 ** failures, LONGEST_PAUSE);

/** The events of one connection, which ends after too long a silence. */
async function* eventsOf(
  server: RouteServer,
  last: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent, void> {
  const silent = new AbortController();
  const end = () => silent.abort(signal.reason);
  signal.addEventListener("abort", end, { once: true });
  const timer = setTimeout(() => silent.abort(new KeywayError("the server was silent for too long")), SILENCE);
  try {
    const stream = await server.watch(last, silent.signal);
    yield* eventsIn(alive(stream, () => timer.refresh()));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    silent.abort();
  }
}

async function* alive(stream: AsyncIterable<Uint8Array>, heard: () => void): AsyncGenerator<Uint8Array, void> {
  for await (const piece of stream) {
    heard();
    yield piece;
  }
}

/** Undefined for an event that a newer server may send. */
function toTableEvent({ name, data }: ServerEvent): TableEvent | undefined {
  const value = parsed(data) as StoredRoute & { revision: number };
  if (typeof value !== "object" || value === null) return undefined;
  if (name === "set" || name === "delete") return { event: name, route: value };
  return name === "synced" ? { event: name, revision: value.revision } : undefined;
}
