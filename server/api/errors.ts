import { STATUS_CODES } from "node:http";
import { type Diagnostic, formatPath } from "../../routes/reading/diagnostic.ts";
import { KeywayError } from "../../shared/errors.ts";
import { Conflict, Full, Managed, TooLarge, Undecided, Unfit } from "../store/store.ts";

export interface Detail {
  /** The field it is about, as `set[3].to`; empty for the whole. */
  path: string;
  message: string;
}

/** The codes of errors, by their HTTP status. */
export const CODES = {
  400: "invalid",
  401: "unauthenticated",
  403: "forbidden",
  404: "not_found",
  405: "method_not_allowed",
  408: "timeout",
  409: "conflict",
  410: "too_old",
  412: "precondition_failed",
  413: "too_large",
  415: "unsupported_media_type",
  431: "headers_too_large",
  500: "internal",
  503: "unavailable",
  507: "storage_full",
} as const;
/** A write of which some or all may be there all the same. */
export const UNDECIDED = "undecided";
export type ErrorStatus = keyof typeof CODES;

/** A request that is answered with an error. */
export class ApiError extends Error {
  readonly status: ErrorStatus;
  readonly code: string;
  readonly details: readonly Detail[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: ErrorStatus,
    message: string,
    {
      details = [],
      headers = {},
      code = CODES[status],
    }: { details?: readonly Detail[]; headers?: Record<string, string>; code?: string } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
    this.headers = headers;
  }
}

/** Details that are told of one request, at most. */
const MOST_DETAILS = 100;

/** A request whose content can't be used; `what` names it in the message. */
export function invalid(what: string, diagnostics: readonly Diagnostic[]): ApiError {
  const details = diagnostics.slice(0, MOST_DETAILS).map(({ path, field, message }) => {
    return { path: formatPath(field === undefined ? path : [...path, field]), message };
  });
  const [first] = details;
  const more = diagnostics.length > 1 ? `, and ${diagnostics.length - 1} more` : "";
  const place = first?.path ? `${first.path}: ` : "";
  return new ApiError(400, `${what}: ${place}${first?.message ?? ""}${more}`, { details });
}

/** A method that a path does not have; `allowed` are those that it has. */
export function notAllowed(method: string, allowed: readonly string[]): ApiError {
  const allow = [...allowed, ...(allowed.includes("GET") ? ["HEAD"] : [])].sort().join(", ");
  return new ApiError(405, `${method} is not possible here; ${allow} is`, { headers: { allow } });
}

/** What was thrown, as the client is told of it. Faults of the server's own are told without their text. */
export function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (thrown instanceof Conflict) {
    return new ApiError(412, thrown.message, { details: [{ path: "", message: thrown.message }] });
  }
  if (thrown instanceof Managed) return new ApiError(409, thrown.message);
  if (thrown instanceof TooLarge) return new ApiError(413, thrown.message);
  // Without retry-after: whoever sends it again by itself might write over what others have written since.
  if (thrown instanceof Undecided) return new ApiError(503, thrown.message, { code: UNDECIDED });
  if (thrown instanceof Unfit) return new ApiError(400, thrown.message);
  if (thrown instanceof Full) return new ApiError(507, thrown.message);
  if (thrown instanceof KeywayError) return new ApiError(503, thrown.message, { headers: { "retry-after": "1" } });
  return new ApiError(500, "this is a fault of the server; its log says more");
}

/** The body of an error: Keyway's own form, and beside it that of RFC 9457 where a client asks for it. */
export function errorBody({ status, code, message, details }: ApiError, asProblem: boolean): object {
  const error = { code, message, details };
  if (!asProblem) return { error };
  return { type: "about:blank", title: STATUS_CODES[status], status, detail: message, error };
}

export const PROBLEM = "application/problem+json";

/** An error as it is answered to somebody who accepts this. */
export function errorAnswer(error: ApiError, accept: string | undefined) {
  const asProblem = accept !== undefined && /application\/problem\+json/i.test(accept);
  return {
    status: error.status,
    headers: { ...error.headers, "content-type": asProblem ? PROBLEM : "application/json" },
    body: JSON.stringify(errorBody(error, asProblem)),
  };
}
