// Which request means what, and how it is answered when something goes wrong.
import type { Logger } from "pino";
import { readJson } from "../../api/body.ts";
import type { Authenticator } from "../../auth/authenticator.ts";
import { admit } from "./auth.ts";
import { answer, type Bindings, type Endpoint } from "./call.ts";
import { A8Error, errorBody, toA8Error } from "./errors.ts";

const MOST_BODY = 1024 * 1024; // bytes

export interface AppParts {
  endpoints: readonly Endpoint[];
  authenticator: Authenticator;
  log: Logger;
}

/** Whether the store and the server are well is said elsewhere: these say only that somebody answers. */
const probes: Endpoint[] = ["/", "/health", "/uptime"].map((path) => {
  return { method: "GET", path, role: undefined, handle: () => answer(200, {}) };
});

export function createA8App({ endpoints, authenticator, log }: AppParts) {
  const all = [...endpoints, ...probes].map((one) => ({ ...one, parts: one.path.split("/") }));

  const handle = async (request: Request, parts: string[], incoming: Bindings["incoming"]): Promise<Response> => {
    const { searchParams, origin } = new URL(request.url);
    const here = all.filter((one) => isAt(one.parts, parts));
    const method = request.method === "HEAD" ? "GET" : request.method;
    const endpoint = here.find((one) => one.method === method);
    if (endpoint === undefined) throw misled(request.method, here);
    const nobody = { name: "nobody", namespace: "" };
    const sender = endpoint.role === undefined ? nobody : await admit(request.headers, endpoint.role, authenticator);
    const name = parts[endpoint.parts.indexOf(":name")] ?? "";
    const answered = await endpoint.handle({
      sender,
      query: searchParams,
      name,
      origin,
      body: () => readJson(incoming, MOST_BODY),
    });
    const isFrequent = method === "GET" || parts.at(-1) === "heartbeat";
    const line = { method, path: endpoint.path, status: answered.status, by: sender.name, namespace: sender.namespace };
    if (isFrequent) log.debug(line, "Amalgam8");
    else log.info(line, "Amalgam8");
    return answered;
  };

  return async (request: Request, { incoming }: Bindings): Promise<Response> => {
    const { pathname } = new URL(request.url);
    try {
      return await handle(request, partsOf(pathname), incoming);
    } catch (thrown) {
      const error = toA8Error(thrown);
      if (error.status >= 500) log.error({ err: thrown, method: request.method, path: pathname }, error.message);
      return answer(error.status, errorBody(error, isOfRules(pathname)), error.headers);
    }
  };
}

/** The rules API has errors of its own form. */
export const isOfRules = (pathname: string) => pathname === "/health" || pathname.startsWith("/v1/");

/** Names may have slashes, encoded. */
function partsOf(pathname: string): string[] {
  try {
    return pathname.split("/").map(decodeURIComponent);
  } catch {
    throw new A8Error(400, "error_invalid_filter", "the path can't be decoded");
  }
}

function isAt(pattern: readonly string[], parts: readonly string[]): boolean {
  return pattern.length === parts.length && pattern.every((one, at) => one === ":name" || one === parts[at]);
}

function misled(method: string, here: readonly Endpoint[]): A8Error {
  if (here.length === 0) {
    const what =
      "there is nothing here: rules are at /v1/rules, instances at /api/v1/instances, services at /api/v1/services";
    return new A8Error(404, "error_not_found", what);
  }
  const allow = [...new Set(here.map((one) => one.method))].sort().join(", ");
  return new A8Error(405, "error_method_not_allowed", `${method} is not possible here; ${allow} is`, { allow });
}
