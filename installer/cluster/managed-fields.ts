import { FIELD_MANAGER } from "../manifests/names.ts";
import type { KubeObject, ManagedFields } from "./object.ts";

export interface Edit {
  manager: string;
  /** Paths as kubectl explains them: `spec.priority`. */
  fields: string[];
}

/** Who but Keyway has written into an object, and what. Status is the controllers' own and no edit. */
export function editsOf({ metadata }: KubeObject): Edit[] {
  return (metadata?.managedFields ?? [])
    .filter(({ manager, subresource }) => manager !== FIELD_MANAGER && !subresource)
    .map((entry) => ({ manager: entry.manager ?? "unknown", fields: fieldsOf(entry) }))
    .filter(({ fields }) => fields.length > 0);
}

function fieldsOf({ fieldsV1 }: ManagedFields): string[] {
  return leaves((fieldsV1 ?? {}) as FieldSet, "").filter((field) => !field.startsWith("status"));
}

/** The API's own encoding: `f:NAME` is a field, `k:{…}` and `v:…` an element of a list, `.` the thing itself. */
interface FieldSet {
  [part: string]: FieldSet;
}

function leaves(set: FieldSet, path: string): string[] {
  return Object.entries(set).flatMap(([part, inner]) => {
    if (part === ".") return [];
    const here = part.startsWith("f:") ? `${path}${path && "."}${part.slice(2)}` : `${path}[${part.slice(2)}]`;
    const deeper = leaves(inner, here);
    return deeper.length > 0 ? deeper : [here];
  });
}
