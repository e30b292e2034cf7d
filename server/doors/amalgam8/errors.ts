// How the two APIs of Amalgam8 say that something went wrong. What a status means to their clients is theirs; the texts say more than
// Amalgam8's own ones did.
import { KeywayError } from "../../../shared/errors.ts";
import { ApiError } from "../../api/errors.ts";
import { Full, Unfit } from "../../store/store.ts";

/** Ids of errors of the rules API, by which its clients tell them apart, and of ours. */
export type ErrorId =
  | "error_invalid_json"
  | "error_no_rules_provided"
  | "error_invalid_rule"
  | "error_rule_not_found"
  | "error_too_many_rules"
  | "error_invalid_filter"
  | "error_auth_header_malformed"
  | "error_auth_header_missing"
  | "error_auth_not_authorized"
  | "error_not_found"
  | "error_method_not_allowed"
  | "error_unavailable"
  | "error_internal";

/** Both APIs answer with its text; the id is for the rules API. */
export class A8Error extends Error {
  override name = "A8Error";
  readonly status: number;
  readonly id: ErrorId;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, id: ErrorId, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.id = id;
    this.headers = headers;
  }
}

/** What was thrown, as a client is told of it; faults of the server's own without their text. */
export function toA8Error(thrown: unknown): A8Error {
  if (thrown instanceof A8Error) return thrown;
  if (thrown instanceof ApiError) {
    const { status, message, headers } = thrown;
    return new A8Error(status, status === 400 || status === 413 ? "error_invalid_json" : "error_internal", message, {
      ...headers,
    });
  }
  if (thrown instanceof Unfit || thrown instanceof Full) return new A8Error(500, "error_internal", thrown.message);
  if (thrown instanceof KeywayError) {
    return new A8Error(503, "error_unavailable", thrown.message, { "retry-after": "1" });
  }
  return new A8Error(500, "error_internal", "this is a fault of the server; its log says more");
}

/** `rules` says whether the request was one of the rules API. */
export function errorBody({ id, message }: Pick<A8Error, "id" | "message">, isOfRules: boolean): object {
  return isOfRules ? { error: id, description: message } : { Error: message };
}
