import { ApiError, isForbidden } from "../../shared/cluster/api-errors.ts";

/** Why there is no copy, or not the one that is asked for, in a word for programs and a text for people. */
export class Refused extends Error {
  override name = "Refused";
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What the API server says no to; undefined for what it could not answer, or what a second try may change at once. */
export function refusalIn(thrown: unknown): Refused | undefined {
  if (thrown instanceof Refused) return thrown;
  if (!(thrown instanceof ApiError) || thrown.isStale || [401, 429].includes(thrown.code) || thrown.code >= 500)
    return undefined;
  const text = thrown.next === undefined ? thrown.message : `${thrown.message}; ${thrown.next}`;
  return new Refused(reasonOf(thrown), text);
}

function reasonOf(refusal: ApiError): string {
  if (refusal.isQuotaExceeded) return "QuotaExceeded";
  if (refusal.isNamespaceTerminating) return "NamespaceTerminating";
  if (refusal.isFieldConflict) return "NameTaken";
  if (refusal.isUnfit) return "Refused";
  return isForbidden(refusal) ? "Forbidden" : "Failed";
}
