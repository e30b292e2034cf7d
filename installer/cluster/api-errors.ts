import type { ApiException, V1Status } from "@kubernetes/client-node";
import { KeywayError, reason } from "../cli/errors.ts";

/** The HTTP status of what the client threw, undefined when the API server was never heard. */
export function statusOf(thrown: unknown): number | undefined {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "number" ? thrown.code : undefined;
}

export function isNotFound(thrown: unknown): boolean {
  return statusOf(thrown) === 404;
}

/** What the API server itself says about a refusal. */
export function apiMessage(thrown: unknown): string {
  const { body } = thrown as ApiException<unknown>;
  const parsed = typeof body === "string" ? tryParse(body) : body;
  const message = (parsed as V1Status | undefined)?.message;
  return message ?? (typeof body === "string" && body !== "" ? body.trim() : reason(thrown));
}

function tryParse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Turns what the Kubernetes client throws into words for a person; `doing` names the verb and the thing. */
export function explainApi(thrown: unknown, server: string, doing: string): KeywayError {
  if (thrown instanceof KeywayError) return thrown;
  const status = statusOf(thrown);
  if (status === undefined) {
    return new KeywayError(`the API server can't be reached: ${reason(thrown)}`, {
      where: server,
      next: "see that the cluster is up and that `kubectl get namespaces` works with the same kubeconfig and context",
      cause: thrown,
    });
  }
  const said = apiMessage(thrown);
  if (status === 401) {
    return new KeywayError("the API server does not accept the credentials", {
      where: server,
      next: "log in again, or name another kubeconfig or context",
      cause: thrown,
    });
  }
  if (status === 403) {
    return new KeywayError(`no permission to ${doing}: ${said}`, {
      where: server,
      next: "have an administrator apply what `keyway render rbac -n NAMESPACE --user NAME` prints, then run `keyway check`",
      cause: thrown,
    });
  }
  if (status >= 500) {
    return new KeywayError(`the API server can't ${doing}: ${said}`, {
      where: server,
      next: "run the same command again when the API server, and istiod behind it, are well",
      cause: thrown,
    });
  }
  return new KeywayError(`can't ${doing}: ${said}`, { where: server, cause: thrown });
}
