// The route server as a whole: opens the store, listens, and ends in order.
import { randomUUID } from "node:crypto";
import type { Server } from "node:http";
import type { Logger } from "pino";
import { KeywayError, UsageError } from "../shared/errors.ts";
import type { Io } from "../shared/io.ts";
import { VERSION } from "../shared/package.ts";
import { isLoopback, parseAddress } from "./address.ts";
import { createApp } from "./api/app.ts";
import type { Api } from "./api/context.ts";
import { tablePolls } from "./api/table.ts";
import { type Authenticator, everybody } from "./auth/authenticator.ts";
import { FileTokens } from "./auth/tokens.ts";
import { openController } from "./controller.ts";
import { openAmalgam8 } from "./doors/amalgam8/door.ts";
import type { Door } from "./doors/door.ts";
import { openSignadot } from "./doors/signadot/door.ts";
import { startExpiry, systemClock } from "./expiry.ts";
import { Feed } from "./feed/feed.ts";
import { createHttpServer, end, LIMITS, listen } from "./http.ts";
import { openLog } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { openPeers } from "./peers/open.ts";
import type { Peers } from "./peers/peers.ts";
import { type Settings, unknownVariables } from "./settings.ts";
import { State } from "./state/state.ts";
import type { Store } from "./store/store.ts";
import { openStore } from "./stores.ts";

/** Milliseconds between two signs of life to those who watch. */
const HEARTBEAT_MS = 15_000;

/** Serves until the signal of `io` is aborted; `ready` is called with the address once it listens. */
export async function serve(settings: Settings, io: Io, ready: (url: string) => void): Promise<void> {
  const { log, close } = openLog(settings.logLevel, io.err);
  try {
    await serveLogged(settings, io, log, ready);
  } finally {
    close();
  }
}

async function serveLogged(settings: Settings, io: Io, log: Logger, ready: (url: string) => void): Promise<void> {
  for (const name of unknownVariables(io.env)) log.warn({ variable: name }, "this variable is no setting");
  const address = parseAddress(settings.listen) ?? { host: "127.0.0.1", port: 8700 };
  const ending = new AbortController();
  const metrics = new Metrics();
  const tokens = settings.tokens === undefined ? undefined : fileTokens(settings.tokens, log);
  if (tokens === undefined && !settings.store.startsWith("kubernetes")) refuseExposed(settings, address.host);
  refuseUncontrolled(settings);
  const stopping = AbortSignal.any([io.signal, ending.signal]);
  const { store, services, authenticator: own = everybody, kubernetes } = await openStore(settings, io, log, stopping);
  const authenticator = tokens ?? own;
  const doors: (Door | undefined)[] = [];
  const closeDoors = (limitMs: number) => Promise.all(doors.splice(0).map((door) => door?.close(limitMs)));
  let peers: Peers | undefined;
  let endController = async () => {};
  let endServer = async (_limitMs: number) => {};
  let stopExpiry = () => {};
  let endsBy = 0;
  try {
    const routes = await load(store, io.signal);
    log.info(
      { version: VERSION, store: settings.store, routes: routes.size, revision: routes.revision },
      "the table is there",
    );

    const surroundings = { domain: settings.domain, ...(services && { services }) };
    const feed = new Feed(routes, surroundings);
    const serverId = randomUUID();
    peers = await openPeers({ serverId, settings, cluster: kubernetes?.cluster, env: io.env, signal: stopping });
    const api: Api = {
      state: routes,
      store,
      authenticator,
      metrics,
      log,
      feed,
      serverId,
      peers,
      now: () => Date.now() / 1000,
      maxBody: settings.maxBody,
      maxRoutes: settings.maxRoutes,
      storeName: settings.store,
      writeMs: settings.writeTimeout * 1000,
      keys: settings.keys,
      hierarchy: settings.hierarchy,
      surroundings,
      heartbeatMs: HEARTBEAT_MS,
      managed: (id) => doors.map((door) => door?.managed?.(id)).find((by) => by !== undefined),
      waitsFor: () => doors.map((door) => door?.waitsFor?.()).find((what) => what !== undefined),
      ending: ending.signal,
    };
    const limits = { ...LIMITS, connections: settings.maxConnections };
    const server = createHttpServer(createApp(api).fetch, limits, { direct: tablePolls(api) });
    metrics.observe({ state: routes, feed, store, connections: connectionsOf(server) });
    doors.push(await openSignadot({ settings, state: routes, cluster: kubernetes?.cluster, metrics, log }));
    doors.push(await openAmalgam8({ settings, api }));
    const { host, port } = await listen(server, address);
    endServer = (limitMs) => end(server, limitMs);
    stopExpiry = startExpiry(
      routes,
      store,
      {
        expired(count) {
          metrics.expired.inc(count);
          log.info({ routes: count }, "routes have expired");
        },
        jumped: (byMs) =>
          log.warn({ ms: Math.round(byMs) }, "the clock has jumped; nothing expires until it is steady"),
        failed: (error) => log.error({ err: error }, "expired routes can't be deleted"),
      },
      { clock: systemClock },
    );
    endController = openController({ settings, kubernetes, services, state: routes, feed, peers, env: io.env, log });
    const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
    log.info({ url }, "listening");
    log.flush();
    ready(url);

    await aborted(io.signal);
    log.info("ending");
    endsBy = performance.now() + settings.grace * 1000;
    await endController();
    ending.abort();
    feed.close();
    await Promise.all([endServer(settings.grace * 1000), closeDoors(settings.grace * 1000)]);
  } finally {
    // What throws after the server listens must not leave it listening: the process would not end.
    await endController();
    ending.abort();
    await Promise.all([endServer(0), closeDoors(0)]);
    stopExpiry();
    await peers?.close();
    authenticator.close();
    await store.close(Math.max(0, endsBy - performance.now()));
  }
  log.info("ended");
}

/** The routes, kept up to date by the store. The signal ends the start alone: later the store is closed last. */
async function load(store: Store, signal: AbortSignal): Promise<State> {
  signal.throwIfAborted();
  const starting = new AbortController();
  const stop = () => starting.abort();
  signal.addEventListener("abort", stop);
  let state: State | undefined;
  const loaded = await store.start((change) => state?.apply(change), starting.signal);
  signal.removeEventListener("abort", stop);
  state = new State(store.history, loaded);
  return state;
}

/** Counts the connections of a server that has none yet. */
function connectionsOf(server: Server): () => number {
  let connections = 0;
  server.on("connection", (socket) => {
    connections++;
    socket.once("close", () => connections--);
  });
  return () => connections;
}

function fileTokens(file: string, log: Logger): Authenticator {
  return new FileTokens(file, {
    reread: (tokens) => log.info({ tokens }, "the tokens were read again"),
    failed: (error) => log.error({ err: error }, "the tokens file can't be used; the tokens from before stay"),
    exposed: (exposed) =>
      log.warn(
        { file: exposed },
        "others on this machine can read the tokens; chmod 600, or write sha256 in place of token",
      ),
  });
}

function refuseExposed(settings: Settings, host: string): void {
  if (isLoopback(host)) return;
  throw new KeywayError(
    `whoever reaches ${settings.listen} could change routes: without tokens the server listens on this machine alone`,
    {
      next: "give --tokens FILE, with {tokens: [{name: NAME, sha256: SHA-256 OF THE TOKEN, roles: [read, write, proxy]}]}, or --listen 127.0.0.1:PORT",
    },
  );
}

/** Versions of pods become routes by the controller alone, and there is one beside the Kubernetes store alone. */
function refuseUncontrolled({ overrides, store, controller }: Settings): void {
  if (overrides === undefined || (store.startsWith("kubernetes") && controller)) return;
  throw new UsageError(
    "versions of pods become routes only where the routes are in Kubernetes and this server may control",
    {
      next: "leave --overrides out, or run it with --store kubernetes and without --controller false",
    },
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
