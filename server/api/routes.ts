// Reading and changing routes one by one.
import { z } from "zod";
import { inOrder, isRouteId, type LiveRoute, type StoredRoute } from "../../routes/model/live-route.ts";
import { endOf, readLiveRoute } from "../../routes/reading/live-route.ts";
import { routeId } from "../../routes/reading/name-fields.ts";
import { diagnosticsOf } from "../../routes/reading/validate.ts";
import { Conflict, type Outcome, type Requirement, type Transaction } from "../store/store.ts";
import { readJson } from "./body.ts";
import { commit } from "./commit.ts";
import type { Api, Request } from "./context.ts";
import { cursorOf, idOf } from "./cursor.ts";
import { type Endpoint, errors, json } from "./endpoint.ts";
import { ApiError, invalid, notAllowed } from "./errors.ts";
import { etagOf, matches, noneMatch } from "./etags.ts";
import { hinted } from "./hints.ts";
import { readQuery } from "./query.ts";
import { ListQuery, limitOf, NoQuery, Renew, Renewed, Route, RouteInput, RouteList } from "./schemas.ts";

const params = z.strictObject({
  id: routeId.meta({ param: { name: "id", in: "path" }, description: "The route's id, percent-encoded." }),
});
const ifMatch = z.exactOptional(
  z.string().meta({ description: 'Only if the route is one of these: its ETag, like "12", or * for any.' }),
);
const ifNoneMatch = (what: string) => z.exactOptional(z.string().meta({ description: what }));
const unlessThese = ifNoneMatch("Only if the route has none of these ETags.");
const headers = { ETag: { schema: { type: "string" as const }, description: "The route's revision, in quotes." } };
const warning = {
  schema: { type: "string" as const },
  description: "299: why callers on Istio do not have the route.",
};

const list: Endpoint = {
  path: "/v1/routes",
  method: "get",
  role: "read",
  documentation: {
    operationId: "listRoutes",
    summary: "List routes, by id; what several parameters say must all hold",
    request: { query: ListQuery },
    responses: { 200: { description: "routes", content: json(RouteList) }, ...errors(400, 401, 403) },
  },
  handle(request, { state }) {
    const query = readQuery(request, ListQuery);
    const { cursor, limit: _, label, ...filter } = query;
    const limit = limitOf(query);
    const found = state.list({ ...filter, ...(label && { labels: label }) }, limit + 1, cursor && idOf(cursor));
    const routes = found.slice(0, limit);
    const last = found.length > limit ? routes.at(-1) : undefined;
    return request.json({ routes, revision: state.revision, ...(last && { next: cursorOf(last.id) }) });
  },
};

const get: Endpoint = {
  path: "/v1/routes/{id}",
  method: "get",
  role: "read",
  documentation: {
    operationId: "getRoute",
    summary: "Read one route",
    request: {
      params,
      headers: z.object({
        "If-Match": ifMatch,
        "If-None-Match": ifNoneMatch("The ETag of what is known; then 304 where it is still that."),
      }),
    },
    responses: {
      200: { description: "the route", headers, content: json(Route) },
      304: { description: "it is what is known", headers },
      ...errors(400, 401, 403, 404, 412),
    },
  },
  handle(request, { state }) {
    readQuery(request, NoQuery);
    const route = state.get(idIn(request));
    if (route === undefined) throw noRoute(idIn(request));
    if (!matches(request.req.header("if-match"), route)) throw changed(route);
    request.header("etag", etagOf(route));
    if (noneMatch(request.req.header("if-none-match"), route)) return request.body(null, 304);
    return request.json(route);
  },
};

const put: Endpoint = {
  path: "/v1/routes/{id}",
  method: "put",
  role: "write",
  documentation: {
    operationId: "putRoute",
    summary: "Create a route or replace it; what is there already, the same, stays at its revision",
    request: {
      params,
      headers: z.object({ "If-Match": ifMatch, "If-None-Match": ifNoneMatch("*: only if there is no such route.") }),
      body: { content: json(RouteInput), required: true },
    },
    responses: {
      200: { description: "replaced, or as it was", headers: { ...headers, Warning: warning }, content: json(Route) },
      201: { description: "created", headers: { ...headers, Warning: warning }, content: json(Route) },
      ...errors(400, 401, 403, 408, 409, 412, 413, 415, 507),
    },
  },
  async handle(request, api) {
    readQuery(request, NoQuery);
    const id = idIn(request);
    const require = requirement(request, api, id);
    const body = await readJson(request.env.incoming, api.maxBody);
    const route = readLiveRoute(body, { now: api.now(), id, path: [] });
    if (Array.isArray(route)) throw invalid("the route can't be used", hinted(route, RouteInput));
    const { revision, created } = await writeOne(api, route, require);
    request.header("etag", etagOf({ revision }));
    const why = api.feed.leftOut({ ...route, revision });
    if (why !== undefined) request.header("warning", `299 keyway "${why.replaceAll(/["\\]/g, "\\$&")}"`);
    if (created) request.header("location", `/v1/routes/${encodeURIComponent(id)}`);
    return request.json({ ...route, revision }, created ? 201 : 200);
  },
};

const remove: Endpoint = {
  path: "/v1/routes/{id}",
  method: "delete",
  role: "write",
  documentation: {
    operationId: "deleteRoute",
    summary: "Delete a route",
    request: { params, headers: z.object({ "If-Match": ifMatch, "If-None-Match": unlessThese }) },
    responses: { 204: { description: "deleted" }, ...errors(400, 401, 403, 404, 409, 412, 507) },
  },
  async handle(request, api) {
    readQuery(request, NoQuery);
    const id = idIn(request);
    const require = requirement(request, api, id) ?? { id, present: true };
    if (require.absent) throw noRoute(id);
    try {
      await commit(api, { set: [], delete: [id], require: [require] });
    } catch (thrown) {
      if (thrown instanceof Conflict && require.present && request.req.header("if-match") === undefined)
        throw noRoute(id);
      throw thrown;
    }
    return request.body(null, 204);
  },
};

/** Times that a renewal looks again at a route that somebody else changes meanwhile. */
const RENEWALS = 5;

const renew: Endpoint = {
  path: "/v1/routes/{id}:renew",
  method: "post",
  role: "write",
  documentation: {
    operationId: "renewRoute",
    summary: "Let a route live for so long from now on",
    request: {
      params,
      headers: z.object({ "If-Match": ifMatch, "If-None-Match": unlessThese }),
      body: { content: json(Renew), required: true },
    },
    responses: {
      200: { description: "when it expires now", headers, content: json(Renewed) },
      ...errors(400, 401, 403, 404, 408, 409, 412, 413, 415, 507),
    },
  },
  async handle(request, api) {
    readQuery(request, NoQuery);
    const id = idIn(request);
    const body = Renew.safeParse(await readJson(request.env.incoming, api.maxBody));
    if (!body.success) throw invalid("the renewal can't be used", hinted(diagnosticsOf(body.error, []), Renew));
    for (let attempt = 1; ; attempt++) {
      const route = api.state.get(id);
      if (route === undefined) throw noRoute(id);
      checkPreconditions(request, id, route);
      const expires = endOf({ ttl: body.data.ttl, expires: undefined, now: api.now() });
      if (typeof expires !== "string") {
        throw invalid("the renewal can't be used", [{ path: ["ttl"], message: expires?.message ?? "required" }]);
      }
      const { revision: before, ...content } = route;
      try {
        const { revision } = await writeOne(api, inOrder({ ...content, expires }), { id, revision: before });
        request.header("etag", etagOf({ revision }));
        return request.json({ id, expires, revision });
      } catch (thrown) {
        if (!(thrown instanceof Conflict) || attempt === RENEWALS) throw thrown;
        // What another server has written is seen here a moment later.
        await new Promise((resolve) => setTimeout(resolve, 20 * attempt));
      }
    }
  },
};

/** `renew` stands before the others: its path is one of theirs, too. */
export const routeEndpoints: readonly Endpoint[] = [list, renew, get, put, remove];

async function writeOne(api: Api, route: LiveRoute, require: Requirement | undefined): Promise<Outcome> {
  const transaction: Transaction = { set: [route], delete: [], ...(require && { require: [require] }) };
  const { set } = await commit(api, transaction);
  return set[0] as Outcome;
}

function idIn(request: Request): string {
  const { method } = request.req;
  const text = request.req.param("id") ?? "";
  const id = text.replace(/:renew$/, "");
  if (id !== text && method !== "POST") throw notAllowed(method, ["POST"]);
  if (isRouteId(id)) return id;
  const result = routeId.safeParse(id);
  throw invalid("the id can't be used", result.success ? [] : diagnosticsOf(result.error, ["id"]));
}

/** Throws where If-Match or If-None-Match do not hold for a write to the route. */
function checkPreconditions(request: Request, id: string, route: StoredRoute | undefined): void {
  if (!matches(request.req.header("if-match"), route)) throw route ? changed(route) : noneToChange(id);
  if (!noneMatch(request.req.header("if-none-match"), route) || !route) return;
  throw new ApiError(412, `there is a route ${id} already, at revision ${route.revision}`, {
    headers: { etag: etagOf(route) },
  });
}

/** What If-Match and If-None-Match ask of the route; throws where it does not hold already. */
function requirement(request: Request, { state }: Api, id: string): Requirement | undefined {
  const route = state.get(id);
  checkPreconditions(request, id, route);
  const ifMatch = request.req.header("if-match");
  const ifNoneMatch = request.req.header("if-none-match");
  if (ifMatch !== undefined)
    return ifMatch.trim() === "*" ? { id, present: true } : { id, revision: route?.revision ?? 0 };
  if (ifNoneMatch === undefined) return undefined;
  return route === undefined ? { id, absent: true } : { id, revision: route.revision };
}

function changed(route: StoredRoute): ApiError {
  const message = `the route ${route.id} has changed meanwhile: it is at revision ${route.revision} now`;
  return new ApiError(412, message, { headers: { etag: etagOf(route) } });
}

const noneToChange = (id: string) => new ApiError(412, `there is no route ${id}`);

function noRoute(id: string): ApiError {
  return new ApiError(404, `there is no route ${id}`);
}
