// What proxies get their routes from, and how a benchmark follows it: one shape for the live table and for what people would use instead.
import { METRIC_TABLE_CHANGES } from "../../routes/model/names.ts";
import { bootstrap, type Json } from "../lib/bootstrap.ts";
import type { EnvoyProcess } from "../lib/envoy.ts";
import { apply, type BenchRoute, fill, following, holds, liveSite, withServer } from "./bed.ts";

export type Source = {
  /** Of the process that gives the routes out. */
  pid: number;
  /** The proxies' cluster for it. */
  cluster: string;
  /** How the name of Envoy's counter ends that counts the changes which have reached a proxy. */
  changes: string;
  configuration(upstreamPort: number): Json;
  /** The change is accepted when it resolves. */
  change(route: BenchRoute): Promise<void>;
  /** Waits until a proxy has the routes that the source began with. */
  holds(proxy: EnvoyProcess): Promise<void>;
};

/** Does the work with a source that has one route for each of so many keys, and takes it away again. */
export type Way = <T>(keys: number, work: (source: Source) => Promise<T>) => Promise<T>;

export const liveTable: Way = (keys, work) =>
  withServer(async (server) => {
    await fill(server, keys);
    return work({
      pid: server.child.pid as number,
      cluster: "keyway",
      changes: METRIC_TABLE_CHANGES,
      configuration: (upstreamPort) => following(server)(bootstrap(liveSite, upstreamPort)),
      change: (route) => apply(server, [route]),
      holds: (proxy) => holds(proxy, keys, 50),
    });
  });
