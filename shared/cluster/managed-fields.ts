import type { KubeObject, ManagedFields } from "./object.ts";

/** What one manager has written into an object. */
export interface Written {
  manager: string;
  /** Paths as kubectl explains them: `spec.priority`. */
  fields: string[];
}

/** Who has written which fields of an object. Status is the controllers' own and left out. */
export function writtenFields({ metadata }: KubeObject): Written[] {
  return (metadata?.managedFields ?? [])
    .filter(({ subresource }) => !subresource)
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
