// What the log and the metrics say of requests; never a header, a body or a query, which may hold keys and tokens.
import type { Principal } from "../auth/authenticator.ts";
import type { Api } from "./context.ts";
import { ApiError, toApiError } from "./errors.ts";

interface Observed {
  /** The path as OpenAPI has it. */
  endpoint: string;
  method: string;
  path: string;
  status: number;
  /** From the headers to the answer; undefined where it waited for a change. */
  seconds: number | undefined;
  by: Principal | undefined;
}

/** Counts and logs what was asked and answered. */
export function observe({ metrics, log }: Pick<Api, "metrics" | "log">, observed: Observed): void {
  const { endpoint, method, path, status, seconds, by } = observed;
  metrics.requests.inc({ endpoint, method, status });
  if (seconds !== undefined) metrics.seconds.observe({ endpoint, method }, seconds);
  const isRead = method === "GET" || method === "HEAD";
  if (!log.isLevelEnabled(isRead ? "debug" : "info")) return;
  const line = { method, path, status, ...(seconds !== undefined && { ms: Math.round(seconds * 1000) }), by: by?.name };
  if (isRead) log.debug(line, "read");
  else log.info(line, "write");
}

/** What was thrown, as the client is told of it; the log says more of faults of the server. */
export function errorOf(
  thrown: unknown,
  { method, path }: Pick<Observed, "method" | "path">,
  { log }: Pick<Api, "log">,
): ApiError {
  const error = toApiError(thrown);
  if (error.status >= 500 && !(thrown instanceof ApiError)) log.error({ err: thrown, method, path }, error.message);
  return error;
}
