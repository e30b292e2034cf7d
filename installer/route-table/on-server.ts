import { KeywayError } from "../../shared/errors.ts";
import { count } from "../cli/output.ts";
import type { ListFilter, ProxyCounts, RouteServer } from "../server-client/client.ts";
import type { Changes, Listed, RouteTable, TableRoute } from "./table.ts";

/** Requests for single routes at the same time. */
const AT_ONCE = 8;
const MEBIBYTE = 1024 * 1024;

/** The table of a route server. */
export class ServerTable implements RouteTable {
  readonly server: RouteServer;
  readonly name: string;

  constructor(server: RouteServer, url: URL) {
    this.server = server;
    this.name = `the route server at ${url.origin}`;
  }

  list(filter: ListFilter, told?: (routes: number) => void): Promise<Listed> {
    return this.server.list(filter, told);
  }

  async get(ids: readonly string[]): Promise<TableRoute[]> {
    const found: TableRoute[] = [];
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      const routes = await Promise.all(ids.slice(at, at + AT_ONCE).map((id) => this.server.get(id)));
      found.push(...routes.filter((route) => route !== undefined));
    }
    return found;
  }

  async commit({ set, delete: gone }: Changes, told: (text: string) => void = () => {}): Promise<number | undefined> {
    if (set.length + gone.length === 0) return undefined;
    return this.server.apply({ set: [...set], delete: [...gone] } as never, (bytes, total) => {
      const [sent, all] = [bytes, total].map((size) => (size / MEBIBYTE).toFixed(1));
      told(bytes < total ? `sending ${sent} of ${all} MiB` : `${all} MiB are sent; the server makes them durable`);
    });
  }

  proxies(revision: number | undefined): Promise<ProxyCounts> {
    return this.server.proxies(revision);
  }

  /** One after the other: what was renewed before a failure stays so, and is renewed again by the same command. */
  async renew(ids: readonly string[], ttl: string): Promise<void> {
    for (const [at, id] of ids.entries()) {
      if ((await this.server.renew(id, ttl)) !== undefined) continue;
      throw new KeywayError(
        `the route ${id} has gone meanwhile; ${count(at, "route was", "routes were")} renewed before it`,
        {
          where: this.name,
          next: "`keyway route list` shows what is there; run the command again for those",
        },
      );
    }
  }
}
