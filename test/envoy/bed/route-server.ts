// A route server with its store in a folder of its own, and what tests ask of it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RouteServer, serveRoutes } from "../../../scripts/proxy/route-server.ts";

export type NewRoute = { id: string; [field: string]: unknown };

export class Routes {
  readonly folder = mkdtempSync(join(tmpdir(), "keyway-routes-"));
  readonly store = join(this.folder, "routes.db");
  server!: RouteServer;
  /** The token of who asks here. */
  token: string | undefined;
  #port = 0;

  /** Starts the server, on the port that it had before. */
  async start(...flags: string[]): Promise<this> {
    const listen = ["--listen", `127.0.0.1:${this.#port}`];
    this.server = await serveRoutes("--store", `sqlite:${this.store}`, ...listen, ...flags);
    this.#port = this.server.port;
    return this;
  }

  get port(): number {
    return this.#port;
  }

  async stop(): Promise<void> {
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Sets one route, and returns when the server has it. */
  async set({ id, ...route }: NewRoute): Promise<void> {
    await this.call("PUT", `/v1/routes/${id}`, route);
  }

  async delete(id: string): Promise<void> {
    await this.call("DELETE", `/v1/routes/${id}`);
  }

  /** One transaction. */
  async apply(changes: { set?: NewRoute[]; delete?: string[] }): Promise<void> {
    await this.call("POST", "/v1/routes:apply", changes);
  }

  /** The ids of all routes that there are. */
  async ids(): Promise<Set<string>> {
    const found = new Set<string>();
    for (let cursor = ""; ; ) {
      const query = new URLSearchParams({ limit: "1000", ...(cursor && { cursor }) });
      const page = (await this.call("GET", `/v1/routes?${query}`)) as { routes: { id: string }[]; next?: string };
      for (const { id } of page.routes) found.add(id);
      if (page.next === undefined) return found;
      cursor = page.next;
    }
  }

  async call(method: string, path: string, body?: object): Promise<unknown> {
    const answer = await fetch(`${this.server.url}${path}`, {
      method,
      headers: {
        ...(body && { "content-type": "application/json" }),
        ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }
}

/** A key route of a plain Envoy, with an id made of its key. */
export function keyed(key: string, to: string, more: object = {}): NewRoute {
  return { id: key, service: "reviews", key, to, ...more };
}
