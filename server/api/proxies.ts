// How far a change has come.
import { parseScope } from "../feed/scope.ts";
import { type Endpoint, errors, json } from "./endpoint.ts";
import { ApiError, invalid } from "./errors.ts";
import { readQuery } from "./query.ts";
import { ProxiesQuery, ProxyCounts } from "./schemas.ts";

export const proxiesEndpoint: Endpoint = {
  path: "/v1/proxies",
  method: "get",
  role: "read",
  documentation: {
    operationId: "countProxies",
    summary: "Count the proxies that follow their tables here, and those that have a revision in force",
    description:
      "A proxy is a connection that polls /v1/table, of the scope of its latest poll. It counts until it is closed, or 30 s have passed without a poll; " +
      "where it polls by another connection from the same host it is one proxy still. " +
      "It has a revision in force when it holds that or a later one, or when its table has not changed after what it holds. " +
      "Each server counts the proxies that poll it itself.",
    request: { query: ProxiesQuery },
    responses: { 200: { description: "the numbers", content: json(ProxyCounts) }, ...errors(400, 401, 403, 404) },
  },
  handle(request, { feed, state }) {
    const { revision, scope: text, service, route: ids } = readQuery(request, ProxiesQuery);
    const scope = text === undefined ? undefined : parseScope(text);
    if (scope instanceof Error) {
      throw invalid("the query can't be used", [{ path: ["scope"], message: scope.message }]);
    }
    const routes = ids?.map((id) => {
      const route = state.get(id);
      if (route === undefined) throw new ApiError(404, `there is no route ${id}`);
      return route;
    });
    return request.json(
      feed.inForce(revision, {
        ...(scope && { scope }),
        ...(service !== undefined && { service }),
        ...(routes && { routes }),
      }),
    );
  },
};
