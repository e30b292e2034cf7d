import { type Written, writtenFields } from "../../shared/cluster/managed-fields.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import { FIELD_MANAGER, MODE_ANNOTATION } from "./names.ts";

/** Labels for people, and what the tools that apply an object from a repository note on it: neither changes what Keyway made. */
const NOTES =
  /^metadata\.(?:labels|annotations)\.(?:app\.kubernetes\.io|argocd\.argoproj\.io|[a-z-]+\.toolkit\.fluxcd\.io|kubectl\.kubernetes\.io)\//;

/**
 * Who has changed what Keyway made, and which fields. A field that Keyway has written too has the value that Keyway gave it. An
 * object of which Keyway has written nothing was rendered, and whoever applied it whole has not edited it.
 */
export function editsOf(object: KubeObject): Written[] {
  const written = writtenFields(object);
  const ours = new Set(written.filter(({ manager }) => manager === FIELD_MANAGER).flatMap(({ fields }) => fields));
  return written
    .filter(({ manager, fields }) => manager !== FIELD_MANAGER && !(ours.size === 0 && isWhole(fields)))
    .map(({ manager, fields }) => ({
      manager,
      fields: fields.filter((field) => !ours.has(field) && !NOTES.test(field)),
    }))
    .filter(({ fields }) => fields.length > 0);
}

/** The mode is written with the whole object, and there is no other reason to write it. */
function isWhole(fields: string[]): boolean {
  return fields.includes(`metadata.annotations.${MODE_ANNOTATION}`);
}
