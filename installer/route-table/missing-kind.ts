import { ROUTE_API } from "../../routes/model/route-resource.ts";
import { ApiError } from "../../shared/cluster/api-errors.ts";
import { KeywayError } from "../../shared/errors.ts";

/** Says of a cluster that does not know the kind of Keyway's what to do; throws everything else as it is. */
export function explainMissingKind(kind: string): (thrown: unknown) => never {
  return (thrown) => {
    // 404 is the answer for a namespace that is not there, too.
    if (!(thrown instanceof ApiError) || !thrown.said.startsWith("the cluster has no ")) throw thrown;
    throw new KeywayError(`the cluster does not know the kind ${kind} of ${ROUTE_API}`, {
      next: "have an administrator apply what `keyway render crds` prints, then run the command again",
      cause: thrown,
    });
  };
}
