// Serves the clients of Signadot's routes API: its gRPC service and its REST, each where it is asked for, both out of one table of rules.
import type { Server } from "node:net";
import type { Logger } from "pino";
import type { Cluster } from "../../../shared/cluster/cluster.ts";
import { parseAddress } from "../../address.ts";
import { createHttpServer, end, LIMITS, listen } from "../../http.ts";
import type { Metrics } from "../../metrics.ts";
import { flagOf, type Settings } from "../../settings.ts";
import type { State } from "../../state/state.ts";
import type { Door } from "../door.ts";
import { followPlaces } from "./cluster.ts";
import { answerRest } from "./rest.ts";
import { RuleTable } from "./rule-table.ts";

export interface Parts {
  settings: Settings;
  state: State;
  /** Where workloads are looked up; undefined where routes have to name them. */
  cluster: Cluster | undefined;
  metrics: Metrics;
  log: Logger;
}

/** Undefined where no client is to be served. Throws a KeywayError where an address can't be had. */
export async function openSignadot(parts: Parts): Promise<Door | undefined> {
  const { settings, state, cluster, metrics, log } = parts;
  if (settings.signadotGrpc === undefined && settings.signadotRest === undefined) return undefined;
  let isLoaded = false;
  let isOpen = false;
  let isClosed = false;
  const { domain } = settings;
  const followed =
    cluster &&
    followPlaces(cluster, {
      changed: (services) => {
        if (isLoaded) table.servicesChanged(services);
      },
      failed: (kind, why) =>
        log.error({ kind, why }, "what Signadot's clients are told of workloads may be out of date"),
    });
  const table = new RuleTable({ domain, ...(followed && { places: followed.places }) });
  // Its packages are many, and most servers have no such clients.
  const { GrpcDoor } = await import("./grpc.ts");
  const grpc = new GrpcDoor(table, settings.maxConnections);
  const rest = createHttpServer(
    (request) => answerRest(request, isLoaded ? table : undefined),
    { ...LIMITS, connections: settings.maxConnections },
    { form: { type: "text/plain", body: ({ message }) => `${message}\n` } },
  );
  metrics.show("keyway_server_signadot_rules", () => table.size);
  metrics.show("keyway_server_signadot_watches", () => grpc.watches);
  metrics.showBy("keyway_server_signadot_left_out", "why", () => table.leftOut);

  /** A client forgets whatever a table that isn't loaded lacks, so nobody listens for clients that watch before it is. */
  const load = async () => {
    if (isClosed) return;
    table.load(state.routes());
    state.onChange((change) => table.apply(change));
    isLoaded = true;
    log.info(
      { rules: table.size, leftOut: Object.fromEntries(table.leftOut) },
      "the rules for Signadot's clients are there",
    );
    await open("signadotGrpc", grpc.server, parts);
    isOpen = true;
  };
  const close = async (limitMs: number) => {
    isClosed = true;
    await Promise.all([grpc.close(limitMs), end(rest, limitMs)]);
  };
  try {
    await open("signadotRest", rest, parts);
    if (followed === undefined) await load();
    else followed.synced.then(load).catch((thrown) => log.error({ err: thrown }, "Signadot's clients can't be served"));
  } catch (thrown) {
    await close(0);
    throw thrown;
  }
  const waitsFor = () =>
    isOpen ? undefined : "the Services and workloads of the cluster are read for Signadot's clients";
  return { close, waitsFor };
}

/** Listens where the setting says, if it does. */
async function open(name: "signadotGrpc" | "signadotRest", server: Server, { settings, log }: Parts): Promise<void> {
  const address = settings[name] === undefined ? undefined : parseAddress(settings[name]);
  if (address === undefined) return;
  const { host, port } = await listen(server, address, flagOf(name));
  log.info({ [name]: `${host.includes(":") ? `[${host}]` : host}:${port}` }, "listening for Signadot's clients");
}
