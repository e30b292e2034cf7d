import type { ServerResponse } from "node:http";
import type { ApiServer, Attributes } from "./api-server.ts";
import { apiVersionOf, discover, type Resource, resources } from "./resources.ts";
import { Refusal } from "./status.ts";
import type { Key, Preconditions, Stored } from "./store.ts";

export interface ServedRequest {
  method: string;
  /** The path between its slashes. */
  parts: string[];
  query: URLSearchParams;
  body: unknown;
  /** For what answers piece by piece. */
  response: ServerResponse;
}

interface Answer {
  code: number;
  body: unknown;
}

export function keyOf({ apiVersion, kind, metadata }: Pick<Stored, "apiVersion" | "kind" | "metadata">): Key {
  const resource = resources.find((one) => apiVersionOf(one) === apiVersion && one.kind === kind);
  if (resource === undefined) throw new Error(`the double has no ${apiVersion} ${kind}`);
  return { resource, namespace: metadata.namespace ?? "", name: metadata.name };
}

/** Answers one request; undefined when the answer is a stream that goes on. */
export function answer(server: ApiServer, request: ServedRequest): Answer | undefined {
  const [root = "", ...rest] = request.parts;
  if (root === "version") return { code: 200, body: { major: "1", minor: "36", gitVersion: "v1.36.3" } };
  const [group, version, ...path] = root === "api" ? ["", ...rest] : rest;
  if (group === undefined || version === undefined || !["api", "apis"].includes(root)) throw unknownPath();
  if (path.length === 0) {
    const body = discover(group, version);
    if (body === undefined) throw unknownPath();
    return { code: 200, body };
  }
  if (path[0] === "selfsubjectaccessreviews") return review(server, request.body);
  if (path[0] === "tokenreviews") return tokenReview(server, request.body);
  if (path[0] === "subjectaccessreviews") return accessReview(server, request.body);
  const inNamespace = path[0] === "namespaces" && path.length > 2;
  const [plural, name, ...sub] = inNamespace ? path.slice(2) : path;
  const namespace = inNamespace ? (path[1] ?? "") : "";
  const resource = resources.find((one) => one.group === group && one.version === version && one.plural === plural);
  if (resource === undefined) throw unknownPath();
  if (sub[0] === "status" && name !== undefined && request.method === "PATCH") {
    return { code: 200, body: server.store.applyStatus({ resource, namespace, name }, request.body as Stored) };
  }
  if (sub[0] === "proxy") return proxy(server, `${namespace}/${name}/${sub.slice(1).join("/")}`);
  if (name !== undefined) return one(server, request, { resource, namespace, name });
  if (request.method === "POST") {
    const object = request.body as Stored;
    const key = { resource, namespace, name: object.metadata.name };
    return { code: 201, body: server.store.create(key, object, request.query.get("dryRun") === "All") };
  }
  return request.query.get("watch")
    ? watch(server, request, resource, namespace)
    : list(server, request, resource, namespace);
}

function unknownPath(): Refusal {
  return new Refusal(404, "NotFound", "the server could not find the requested resource");
}

function one(server: ApiServer, { method, query, body }: ServedRequest, key: Key): Answer {
  const dryRun = query.get("dryRun") === "All";
  if (method === "GET") return { code: 200, body: server.store.get(key) };
  if (method === "DELETE") {
    const { preconditions = {} } = (body ?? {}) as { preconditions?: Preconditions };
    server.store.delete(key, preconditions, dryRun);
    return { code: 200, body: { kind: "Status", apiVersion: "v1", status: "Success" } };
  }
  if (method === "PUT") return { code: 200, body: server.store.replace(key, body as Stored, dryRun) };
  if (method !== "PATCH") throw new Refusal(405, "MethodNotAllowed", `the server does not allow ${method} here`);
  const request = { manager: query.get("fieldManager") ?? "unknown", force: query.get("force") === "true" };
  const { object, created } = server.store.apply(key, body as Stored, request, dryRun);
  return { code: created ? 201 : 200, body: object };
}

function list(server: ApiServer, { query }: ServedRequest, resource: Resource, namespace: string): Answer {
  const matching = server.store.list(resource, namespace).filter(selects(query.get("labelSelector")));
  const from = Number(query.get("continue") ?? 0);
  const limit = Number(query.get("limit") ?? 0) || matching.length;
  const more = from + limit < matching.length ? { continue: String(from + limit) } : {};
  const metadata = { resourceVersion: server.store.version, ...more };
  const items = matching.slice(from, from + limit).map(({ apiVersion: _, kind: __, ...item }) => item);
  return { code: 200, body: { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata, items } };
}

/** Equality, and that there is such a label: `app=reviews,version`. */
function selects(selector: string | null): (object: Stored) => boolean {
  const pairs = selector ? selector.split(",").map((pair) => pair.split("=")) : [];
  return ({ metadata: { labels = {} } }) =>
    pairs.every(([name = "", value]) => (value === undefined ? name in labels : (labels[name] ?? "") === value));
}

function watch(server: ApiServer, request: ServedRequest, resource: Resource, namespace: string): undefined {
  const { response, query } = request;
  const matches = selects(query.get("labelSelector"));
  response.setHeader("content-type", "application/json");
  const since = query.get("resourceVersion") ?? server.store.version;
  const stop = server.store.watch(since, (key, event, before) => {
    if (key.resource !== resource || (namespace !== "" && key.namespace !== namespace)) return;
    const [was, is] = [before !== undefined && matches(before), matches(event.object)];
    if (!was && !is) return;
    // What the selector selects no more is told as deleted, and what it selects for the first time as added.
    const type = is ? (was ? event.type : "ADDED") : "DELETED";
    response.write(`${JSON.stringify({ ...event, type })}\n`);
  });
  response.flushHeaders();
  response.on("close", stop);
}

function review(server: ApiServer, body: unknown): Answer {
  const { spec } = body as { spec: { resourceAttributes: Attributes } };
  return { code: 201, body: { ...(body as object), status: { allowed: server.may(spec.resourceAttributes) } } };
}

function tokenReview(server: ApiServer, body: unknown): Answer {
  const { token, audiences } = (body as { spec: { token: string; audiences?: string[] } }).spec;
  const username = (audiences ? server.tokensFor.get(`${audiences}`) : server.tokens)?.get(token);
  const status =
    username === undefined
      ? { authenticated: false }
      : { authenticated: true, ...(audiences && { audiences }), user: { username } };
  return { code: 201, body: { ...(body as object), status } };
}

function accessReview(server: ApiServer, body: unknown): Answer {
  const { user, resourceAttributes, nonResourceAttributes } = (body as { spec: AccessSpec }).spec;
  const { verb = "", resource = "" } = resourceAttributes ?? {};
  const right = nonResourceAttributes
    ? `${nonResourceAttributes.verb} ${nonResourceAttributes.path}`
    : `${verb} ${resource}`;
  return { code: 201, body: { ...(body as object), status: { allowed: server.grants.has(`${user}: ${right}`) } } };
}

interface AccessSpec {
  user: string;
  resourceAttributes?: Attributes;
  nonResourceAttributes?: { verb: string; path: string };
}

function proxy(server: ApiServer, path: string): Answer {
  const said = server.services.get(path);
  if (said === undefined) {
    throw new Refusal(503, "ServiceUnavailable", `no endpoints available for service "${path.split("/")[1]}"`);
  }
  return { code: 200, body: said };
}
