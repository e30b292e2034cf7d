// The API: who may do what, how errors look, and what OpenAPI says.
import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { admit, nobody } from "./admission.ts";
import { applyEndpoint } from "./apply.ts";
import type { Api, Env, Request } from "./context.ts";
import { type Endpoint, errors, json } from "./endpoint.ts";
import { ApiError, errorAnswer, notAllowed } from "./errors.ts";
import { explainEndpoint } from "./explain.ts";
import { errorOf, observe } from "./observed.ts";
import { describe } from "./openapi.ts";
import { probeEndpoints } from "./probes.ts";
import { proxiesEndpoint } from "./proxies.ts";
import { routeEndpoints } from "./routes.ts";
import { tableEndpoint } from "./table.ts";
import { watchEndpoint } from "./watch.ts";

const endpoints: readonly Endpoint[] = [
  applyEndpoint,
  ...routeEndpoints,
  watchEndpoint,
  explainEndpoint,
  tableEndpoint,
  proxiesEndpoint,
  ...probeEndpoints,
];

const openapiEndpoint: Omit<Endpoint, "handle"> = {
  path: "/openapi.json",
  method: "get",
  role: undefined,
  documentation: {
    operationId: "getOpenapi",
    summary: "This document",
    responses: {
      200: { description: "OpenAPI 3.1", content: json(z.looseObject({ openapi: z.string() })) },
      ...errors(),
    },
  },
};

/** All there is. */
const known = [...endpoints, openapiEndpoint].map(({ path, method }) => ({
  path,
  method: method.toUpperCase(),
  pattern: patternOf(path),
}));

export function createApp(api: Api): OpenAPIHono<Env> {
  const app = new OpenAPIHono<Env>();
  app.use(observed(api));
  const description: Endpoint = { ...openapiEndpoint, handle: (request) => request.json(document) };
  for (const endpoint of [...endpoints, description]) {
    const { path, method, role, documentation } = endpoint;
    app.openAPIRegistry.registerPath({ ...documentation, path, method, ...(role && { security: [{ token: [] }] }) });
    const handler = async (request: Request) => {
      const credentials = {
        authorization: request.req.header("authorization"),
        origin: request.req.header("origin"),
      };
      request.set("principal", role === undefined ? nobody : await admit(credentials, role, api.authenticator));
      return endpoint.handle(request, api);
    };
    app.on(method.toUpperCase(), honoPath(path), handler);
  }
  const document = describe(app);
  app.notFound((request) => answerError(request, misled(request)));
  app.onError((thrown, request) => answerError(request, errorOf(thrown, request.req, api)));
  return app;
}

/** Hono's own form of a path: an id may contain slashes, and what stands after it, too, is a part of the parameter. */
function honoPath(path: string): string {
  return path.replace("{id}:renew", ":id{[\\s\\S]+:renew}").replace("{id}", ":id{[\\s\\S]+}");
}

/** What a request that nothing answers may have meant. */
function misled(request: Request): ApiError {
  const { path, method } = request.req;
  const there = known.filter(({ pattern }) => pattern.test(path)).map((one) => one.method);
  const all = [...new Set(there)];
  if (all.length === 0) return new ApiError(404, "there is nothing here; /openapi.json says what there is");
  return notAllowed(method, all);
}

/** An id is anything but what ends like a renewal. */
function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace("{id}:renew", ".+:renew").replace(/\{id\}$/, "(?!.*:renew$).+")}$`, "s");
}

function answerError(request: Request, error: ApiError): Response {
  const { status, headers, body } = errorAnswer(error, request.req.header("accept"));
  return request.body(body, status, headers);
}

function observed(api: Api): MiddlewareHandler<Env> {
  return async (request, next) => {
    const start = performance.now();
    await next();
    const { method, path } = request.req;
    const endpoint = known.find(({ pattern }) => pattern.test(path))?.path ?? "other";
    const seconds = (performance.now() - start) / 1000;
    observe(api, { endpoint, method, path, status: request.res.status, seconds, by: request.get("principal") });
  };
}
