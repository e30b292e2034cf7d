// The API: who may do what, how errors look, and what OpenAPI says.
import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { everybody, type Principal } from "../auth/authenticator.ts";
import { applyEndpoint } from "./apply.ts";
import type { Api, Env, Request } from "./context.ts";
import { type Endpoint, errors, json } from "./endpoint.ts";
import { ApiError, errorBody, notAllowed, PROBLEM, toApiError } from "./errors.ts";
import { explainEndpoint } from "./explain.ts";
import { describe } from "./openapi.ts";
import { isForeignPage } from "./pages.ts";
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
      request.set("principal", await admitted(request, endpoint, api));
      return endpoint.handle(request, api);
    };
    app.on(method.toUpperCase(), honoPath(path), handler);
  }
  const document = describe(app);
  app.notFound((request) => answerError(request, misled(request)));
  app.onError((thrown, request) => {
    const error = toApiError(thrown);
    if (error.status >= 500 && !(thrown instanceof ApiError)) {
      api.log.error({ err: thrown, method: request.req.method, path: request.req.path }, error.message);
    }
    return answerError(request, error);
  });
  return app;
}

/** Hono's own form of a path: an id may contain slashes, and what stands after it, too, is a part of the parameter. */
function honoPath(path: string): string {
  return path.replace("{id}:renew", ":id{.+:renew}").replace("{id}", ":id{.+}");
}

async function admitted(request: Request, { role }: Endpoint, { authenticator }: Api): Promise<Principal> {
  const header = request.req.header("authorization");
  const token = header === undefined ? undefined : /^Bearer +([\x21-\x7e]+)$/i.exec(header)?.[1];
  if (role === undefined) return nobody;
  if (authenticator === everybody) refusePages(request);
  const principal = header !== undefined && token === undefined ? undefined : await authenticator.authenticate(token);
  const challenge = { "www-authenticate": 'Bearer realm="keyway"' };
  if (principal === undefined) {
    throw new ApiError(401, "this token is not known; send one as authorization: Bearer TOKEN", { headers: challenge });
  }
  if (principal.may(role)) return principal;
  if (token !== undefined) throw new ApiError(403, `the token of ${principal.name} has no role ${role}`);
  throw new ApiError(401, `this needs a token with role ${role}; send it as authorization: Bearer TOKEN`, {
    headers: challenge,
  });
}

function refusePages(request: Request): void {
  if (!isForeignPage(request.req.header("origin"))) return;
  throw new ApiError(
    403,
    "requests of web pages are refused where no tokens are needed; start the server with --tokens",
  );
}

const nobody: Principal = { name: "nobody", may: () => false, revoked: new AbortController().signal };

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
  return new RegExp(`^${path.replace("{id}:renew", ".+:renew").replace(/\{id\}$/, "(?!.*:renew$).+")}$`);
}

function answerError(request: Request, error: ApiError): Response {
  const asProblem = /application\/problem\+json/i.test(request.req.header("accept") ?? "");
  for (const [name, value] of Object.entries(error.headers)) request.header(name, value);
  if (asProblem) request.header("content-type", PROBLEM);
  return request.body(JSON.stringify(errorBody(error, asProblem)), error.status, {
    "content-type": asProblem ? PROBLEM : "application/json",
  });
}

/** Counts and logs what was asked and answered; never a header, a body or a query, which may hold keys and tokens. */
function observed({ metrics, log }: Api): MiddlewareHandler<Env> {
  return async (request, next) => {
    const start = performance.now();
    await next();
    const { method, path } = request.req;
    const endpoint = known.find(({ pattern }) => pattern.test(path))?.path ?? "other";
    const status = request.res.status;
    const seconds = (performance.now() - start) / 1000;
    metrics.requests.inc({ endpoint, method, status });
    metrics.seconds.observe({ endpoint, method }, seconds);
    const line = { method, path, status, ms: Math.round(seconds * 1000), by: request.get("principal")?.name };
    if (method === "GET" || method === "HEAD") log.debug(line, "read");
    else log.info(line, "write");
  };
}
