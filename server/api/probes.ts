import type { Api } from "./context.ts";
import { type Endpoint, errors, json } from "./endpoint.ts";
import { ApiError } from "./errors.ts";
import { Alive, Ready } from "./schemas.ts";

const healthz: Endpoint = {
  path: "/healthz",
  method: "get",
  role: undefined,
  documentation: {
    operationId: "isAlive",
    summary: "Whether the server runs",
    responses: { 200: { description: "it does", content: json(Alive) }, ...errors() },
  },
  handle: (request) => request.json({ status: "alive" }),
};

const readyz: Endpoint = {
  path: "/readyz",
  method: "get",
  role: undefined,
  documentation: {
    operationId: "isReady",
    summary:
      "Whether the server has its table and its store, listens for all clients that it is to, and goes on running",
    responses: { 200: { description: "it has", content: json(Ready) }, ...errors() },
  },
  handle(request, api) {
    const trouble = unready(api);
    if (trouble !== undefined) throw new ApiError(503, trouble);
    return request.json({ status: "ready", routes: api.state.size, revision: api.state.revision });
  },
};

function unready({ store, ending, waitsFor }: Api): string | undefined {
  return ending.aborted ? "the server is ending" : (store.trouble()?.message ?? waitsFor());
}

const metrics: Endpoint = {
  path: "/metrics",
  method: "get",
  role: undefined,
  documentation: {
    operationId: "getMetrics",
    summary: "Metrics in Prometheus' text form",
    responses: {
      200: { description: "metrics", content: { "text/plain": { schema: { type: "string" } } } },
      ...errors(),
    },
  },
  async handle(request, { metrics: { registry } }) {
    return request.body(await registry.metrics(), 200, { "content-type": registry.contentType });
  },
};

export const probeEndpoints: readonly Endpoint[] = [healthz, readyz, metrics];
