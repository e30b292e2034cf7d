import { ApiError } from "../../../shared/cluster/api-errors.ts";
import { PartlyWritten, TooMany } from "../../../shared/cluster/write-together.ts";
import { reason } from "../../../shared/errors.ts";
import { TooLarge, Unavailable, Undecided, Unfit } from "../store.ts";

/** What has kept the API server from answering, as a store says it. */
export function unavailable(thrown: unknown, where: string): Unavailable {
  if (thrown instanceof Unavailable) return thrown;
  const next = "see whether the API server can be reached and the rights of `keyway render rbac --server` are there";
  return new Unavailable(`the API server can't be asked: ${reason(thrown)}`, { where, next, cause: thrown });
}

/** Why routes could not be written. */
export function writeFailure(thrown: unknown, where: string): Unfit | Unavailable {
  if (thrown instanceof PartlyWritten) {
    return new Undecided(thrown.message, { where, ...(thrown.next && { next: thrown.next }), cause: thrown });
  }
  if (thrown instanceof TooMany) return new TooLarge(`${thrown.message}; ${thrown.next}`, { where, cause: thrown });
  if (!(thrown instanceof ApiError)) return unavailable(thrown, where);
  if (isWithoutNamespace(thrown)) {
    const next = "create the namespace first, or write the route into another one";
    return new Unfit(`${thrown.message}; ${next}`, { where, next, cause: thrown });
  }
  if (!thrown.isUnfit) return unavailable(thrown, where);
  return new Unfit(thrown.message, { where, ...(thrown.next && { next: thrown.next }), cause: thrown });
}

function isWithoutNamespace({ code, said }: ApiError): boolean {
  return (code === 404 && /^namespaces /.test(said)) || (code === 403 && said.includes("is being terminated"));
}
