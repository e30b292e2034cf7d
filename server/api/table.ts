import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Endpoint, errors } from "./endpoint.ts";
import { ApiError } from "./errors.ts";
import { TableQuery } from "./schemas.ts";

export const tableEndpoint: Endpoint = {
  path: "/v1/table",
  method: "get",
  role: "proxy",
  documentation: {
    operationId: "getTable",
    summary: "For proxies: the compiled table of a scope, in pages; waits for a change where there is none",
    request: { query: TableQuery },
    responses: {
      200: {
        description: "a page",
        content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
      },
      ...errors(400, 401, 403),
    },
  },
  handle(request, { feed, ending }) {
    if (feed === undefined) throw new ApiError(503, "this server has no compiled tables");
    const { incoming, outgoing } = request.env;
    const { revoked } = request.get("principal");
    const ended = new AbortController();
    const end = () => ended.abort();
    for (const signal of [ending, revoked]) {
      if (signal.aborted) end();
      signal.addEventListener("abort", end, { once: true });
      outgoing.on("close", () => signal.removeEventListener("abort", end));
    }
    feed(incoming, outgoing, ended.signal);
    return RESPONSE_ALREADY_SENT;
  },
};
