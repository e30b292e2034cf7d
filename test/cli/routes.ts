// Commands about live routes against a route server of the test's own.
import { parse } from "yaml";
import { startServer } from "../api/serve.ts";
import { type Run, runCli } from "./run.ts";

export interface Bed {
  url: string;
  /** Runs `keyway route` against the server. */
  route(...args: string[]): Promise<Run>;
  routeWith(
    setting: { env?: Record<string, string>; input?: string; signal?: AbortSignal },
    ...args: string[]
  ): Promise<Run>;
  /** The routes that the server has, without their revisions. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what they expect
  routes(): Promise<any[]>;
  put(id: string, route: object): Promise<void>;
  end(): Promise<void>;
}

export async function startRoutes(flags: Record<string, string> = {}): Promise<Bed> {
  const { url, ask, end } = await startServer(flags);
  const routeWith: Bed["routeWith"] = ({ env = {}, ...setting }, ...args) =>
    runCli(["route", ...args], { ...setting, env: { KEYWAY_SERVER: url, ...env } });
  return {
    url,
    end,
    routeWith,
    route: (...args) => routeWith({}, ...args),
    routes: async () =>
      (await ask("/v1/routes")).body.routes.map(({ revision: _, ...route }: { revision: number }) => route),
    put: async (id, route) => {
      const { status, body } = await ask(`/v1/routes/${encodeURIComponent(id)}`, {
        method: "PUT",
        body: JSON.stringify(route),
      });
      if (status > 201) throw new Error(JSON.stringify(body));
    },
  };
}

/** The routes of a route file's text. */
export const routesIn = (text: string) => parse(text).routes;
