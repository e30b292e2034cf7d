// How far a change has come.
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "@hono/zod-openapi";
import { parseScope } from "../feed/scope.ts";
import { inForceEverywhere } from "../peers/everywhere.ts";
import type { Api } from "./context.ts";
import { type Endpoint, errors, json } from "./endpoint.ts";
import { ApiError, invalid } from "./errors.ts";
import { readQuery } from "./query.ts";
import { OwnProxies, ProxiesQuery, ProxyCounts } from "./schemas.ts";

export const proxiesEndpoint: Endpoint = {
  path: "/v1/proxies",
  method: "get",
  role: "read",
  documentation: {
    operationId: "countProxies",
    summary: "Count the proxies that follow their tables, and those that have a revision in force",
    description:
      "A proxy is a connection that polls /v1/table, of the scope of its latest poll. It counts until it is closed, or 30 s have passed without a poll; " +
      "where it polls by another connection from the same host it is one proxy still. " +
      "It has a revision in force when it holds that or a later one, or when its table has not changed after what it holds. " +
      "A server that knows of others (--peers) counts the proxies of all of them, each once, and says which servers have not answered.",
    request: { query: ProxiesQuery },
    responses: {
      200: { description: "the numbers", content: json(z.union([ProxyCounts, OwnProxies])) },
      ...errors(400, 401, 403, 404),
    },
  },
  async handle(request, api) {
    const { feed, state } = api;
    const { revision: wanted, scope: text, service, route: ids, own } = readQuery(request, ProxiesQuery);
    const scope = text === undefined ? undefined : parseScope(text);
    if (scope instanceof Error) {
      throw invalid("the query can't be used", [{ path: ["scope"], message: scope.message }]);
    }
    const routes = ids?.map((id) => {
      const route = state.get(id);
      if (route === undefined) throw new ApiError(404, `there is no route ${id}`);
      return route;
    });
    const filter = { ...(scope && { scope }), ...(service !== undefined && { service }), ...(routes && { routes }) };
    if (own === "true") return request.json({ ...feed.inForce(wanted, filter), ...ownFollowers(api) });
    const revision = await knownRevision(api, wanted);
    return request.json(await inForceEverywhere(api, revision, filter));
  },
};

/** The proxies of this server, as another one takes them over. */
function ownFollowers({ feed, serverId }: Pick<Api, "feed" | "serverId">) {
  const now = performance.now();
  const followers = feed.followers.map(({ address, scope, digest, cameAt, answeredAt }) => ({
    ...{ address, scope, ...(digest !== undefined && { digest }), came: now - cameAt },
    ...(answeredAt !== undefined && { answered: now - answeredAt }),
  }));
  return { server: serverId, followers };
}

/** How long this server may be behind another one, in milliseconds. */
const BEHIND_MS = 2000;

/** The revision that another server has answered, once this one has come to it. */
async function knownRevision({ state, store, ending }: Api, wanted: number | undefined): Promise<number | undefined> {
  const start = performance.now();
  while (wanted !== undefined && wanted > state.revision && performance.now() - start < BEHIND_MS && !ending.aborted) {
    await sleep(20);
  }
  if (wanted === undefined || wanted <= state.revision) return wanted;
  // What happened has come to this server by then, and has another number here.
  return store.countsAlone && store.trouble() === undefined ? state.revision : wanted;
}
