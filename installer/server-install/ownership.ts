import { type KubeObject, title } from "../../shared/cluster/object.ts";
import { KeywayError } from "../../shared/errors.ts";
import { MANAGED_BY_LABEL } from "../manifests/names.ts";
import { SERVER_LABEL } from "../manifests/server/server.ts";

/** Whether an object is of the server in a namespace. */
export function isOfServer({ metadata }: KubeObject, namespace: string): boolean {
  return metadata?.labels?.[SERVER_LABEL] === namespace;
}

/** Whether it is one of the custom resources that all servers share. */
export function isShared({ kind, metadata }: KubeObject): boolean {
  return kind === "CustomResourceDefinition" && metadata?.labels?.[MANAGED_BY_LABEL] === "keyway";
}

/** Throws for an object of that name that is of no server here, or of one that Helm looks after. The custom resources may be anybody's. */
export function refuseOthers(namespace: string): (there: KubeObject) => void {
  return (there) => {
    if (there.kind === "CustomResourceDefinition") return;
    refuseHelms(there);
    if (isOfServer(there, namespace)) return;
    const makers = [...new Set(there.metadata?.managedFields?.map(({ manager }) => manager))].join(", ");
    throw new KeywayError(`${title(there)} exists, and is of no route server that keyway put there`, {
      where: `${title(there)}, written by ${makers || "an unknown manager"}`,
      next: "install into another namespace with -n, or remove that object if nobody needs it",
    });
  };
}

/** Two tools that look after one object undo each other's work. */
export function refuseHelms(there: KubeObject): void {
  if (there.metadata?.labels?.[MANAGED_BY_LABEL] !== "Helm") return;
  throw new KeywayError(`${title(there)} is part of a Helm release`, {
    where: title(there),
    next: `change the server with helm upgrade and take it out with helm uninstall: release ${there.metadata.annotations?.["meta.helm.sh/release-name"] ?? "NAME"}`,
  });
}
