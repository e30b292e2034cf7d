import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { Logger } from "pino";
import type { Authenticator, Principal } from "../auth/authenticator.ts";
import type { Feed } from "../feed/feed.ts";
import type { Surroundings } from "../feed/services.ts";
import type { Metrics } from "../metrics.ts";
import type { Peers } from "../peers/peers.ts";
import type { State } from "../state/state.ts";
import type { Store } from "../store/store.ts";

/** What the API works with. */
export interface Api {
  state: State;
  store: Store;
  /** As the setting names it, for messages. */
  storeName: string;
  /** Milliseconds that a write of one route waits for the store. */
  writeMs: number;
  authenticator: Authenticator;
  metrics: Metrics;
  log: Logger;
  /** The compiled tables of proxies. */
  feed: Feed;
  /** A random name of this process. */
  serverId: string;
  /** The other servers on the same store; undefined where there are none. */
  peers: Peers | undefined;
  /** Seconds since 1970. */
  now(): number;
  /** Largest body in bytes. */
  maxBody: number;
  /** Routes that one transaction may set and delete. */
  maxRoutes: number;
  /** The sources of keys that explanations go by. */
  keys: string[];
  hierarchy: string | undefined;
  /** What the tables of proxies are compiled by, too. */
  surroundings: Surroundings;
  /** Milliseconds between two signs of life to those who watch. */
  heartbeatMs: number;
  /** Where a route comes from that is not written by this API, and where it is to be changed; undefined for any other route. */
  managed?(id: string): { from: string; next: string } | undefined;
  /** What the server still waits for before it may be asked; undefined once it is all there. */
  waitsFor(): string | undefined;
  /** Aborted once the server ends: what waits has to end. */
  ending: AbortSignal;
}

export type Env = { Bindings: HttpBindings; Variables: { principal: Principal } };
export type Request = Context<Env>;
