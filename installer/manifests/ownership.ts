import { type KubeObject, title } from "../../shared/cluster/object.ts";
import { KeywayError } from "../../shared/errors.ts";
import { INSTALLATION_LABEL, INSTANCE_LABEL, MANAGED_BY_LABEL } from "./names.ts";

/** Whether Keyway made an object. Without a label of Keyway's own it is one of an older version, known by the common labels. */
export function isOwned({ metadata }: KubeObject): boolean {
  const labels = metadata?.labels ?? {};
  const owner = labels[INSTALLATION_LABEL];
  if (owner !== undefined) return owner === metadata?.name;
  return labels[MANAGED_BY_LABEL] === "keyway" && labels[INSTANCE_LABEL] === metadata?.name;
}

/** Throws when somebody else made the object that bears the name. */
export function refuseForeign(object: KubeObject): void {
  if (isOwned(object)) return;
  const makers = [...new Set(object.metadata?.managedFields?.map(({ manager }) => manager))].join(", ");
  throw new KeywayError(`${title(object)} exists and keyway did not make it`, {
    where: `${title(object)}, written by ${makers || "an unknown manager"}`,
    next: "choose another name with --name",
  });
}
