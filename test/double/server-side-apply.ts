// Server-side apply: who owns which field, and what happens when two want the same one. Lists are one value, as in resources
// whose schema does not say otherwise.
import { isDeepStrictEqual } from "node:util";
import { Refusal } from "./status.ts";
import type { ManagedFields, Stored } from "./store.ts";

type Tree = Record<string, unknown>;

/** A field's path from the root: `["metadata", "labels", "app"]`. */
type Path = string[];

const IDENTITY = new Set(["apiVersion", "kind", "status"]);
const OWNABLE_METADATA = new Set(["labels", "annotations", "ownerReferences", "finalizers"]);

export interface ApplyRequest {
  manager: string;
  force: boolean;
  /** `Update` stands for any write that is no server-side apply: it takes what it changes and conflicts with nobody. */
  operation?: "Apply" | "Update";
}

/** The object after one manager has applied `wanted` to it; throws a Conflict that names the other owners. */
export function applied(
  live: Stored | undefined,
  wanted: Stored,
  { manager, force, operation = "Apply" }: ApplyRequest,
) {
  const result = structuredClone(live ?? { ...wanted, spec: undefined, metadata: identityOf(wanted) }) as Stored;
  const owners = result.metadata.managedFields ?? [];
  const wants = leavesOf(wanted).filter(([path]) => isOwnable(path));
  const conflicts = wants.flatMap(([path, value]) =>
    isDeepStrictEqual(valueAt(result, path), value)
      ? []
      : owners.filter((one) => one.manager !== manager && owns(one, path)).map((owner) => ({ owner, path })),
  );
  if (conflicts.length > 0 && !force && operation === "Apply") throw conflictOf(conflicts);
  const mine = owners.find((one) => one.manager === manager && one.operation === operation);
  if (operation === "Apply" && mine !== undefined) {
    const wanted = new Set(wants.map(([path]) => textOf(path)));
    for (const path of pathsOf(mine.fieldsV1 as Tree)) {
      const shared = owners.some((one) => one !== mine && owns(one, path));
      if (!wanted.has(textOf(path)) && !shared) removeAt(result, path);
    }
  }
  for (const [path, value] of wants) setAt(result, path, value);
  const taken = conflicts.map(({ path }) => path);
  const others = owners.filter((one) => one !== mine).map((one) => without(one, taken));
  const kept = operation === "Update" && mine !== undefined ? pathsOf(mine.fieldsV1 as Tree) : [];
  const fieldsV1 = fieldSet([...kept, ...wants.map(([path]) => path)]);
  result.metadata.managedFields = [
    ...others.filter(({ fieldsV1 }) => Object.keys(fieldsV1).length > 0),
    { manager, operation, apiVersion: wanted.apiVersion, fieldsType: "FieldsV1", fieldsV1 },
  ];
  return result;
}

function identityOf({ metadata: { name, namespace } }: Stored): Stored["metadata"] {
  return { name, ...(namespace && { namespace }) };
}

function isOwnable([root = "", second = ""]: Path): boolean {
  return root === "metadata" ? OWNABLE_METADATA.has(second) : !IDENTITY.has(root);
}

function leavesOf(value: unknown, path: Path = []): [Path, unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [[path, value]];
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  if (entries.length === 0 && path.length > 0) return [[path, {}]];
  return entries.flatMap(([name, inner]) => leavesOf(inner, [...path, name]));
}

function textOf(path: Path): string {
  return JSON.stringify(path);
}

function valueAt(tree: unknown, path: Path): unknown {
  return path.reduce((at: unknown, name) => (at as Tree | undefined)?.[name], tree);
}

function setAt(tree: unknown, path: Path, value: unknown): void {
  let at = tree as Tree;
  for (const name of path.slice(0, -1)) {
    if (typeof at[name] !== "object" || at[name] === null || Array.isArray(at[name])) at[name] = {};
    at = at[name] as Tree;
  }
  at[path.at(-1) ?? ""] = value;
}

function removeAt(tree: unknown, path: Path): void {
  const parent = valueAt(tree, path.slice(0, -1)) as Tree | undefined;
  if (parent !== undefined) delete parent[path.at(-1) ?? ""];
}

/** The API's encoding of a set of fields: `{"f:spec": {"f:priority": {}}}`. */
function fieldSet(paths: Path[]): object {
  const set: Tree = {};
  for (const path of paths) {
    let at = set;
    for (const name of path) {
      at[`f:${name}`] ??= {};
      at = at[`f:${name}`] as Tree;
    }
  }
  return set;
}

function pathsOf(set: Tree, path: Path = []): Path[] {
  const entries = Object.entries(set);
  if (entries.length === 0) return path.length > 0 ? [path] : [];
  return entries.flatMap(([name, inner]) => pathsOf(inner as Tree, [...path, name.slice("f:".length)]));
}

function owns({ fieldsV1 }: ManagedFields, path: Path): boolean {
  return pathsOf(fieldsV1 as Tree).some((one) => textOf(one) === textOf(path));
}

function without(entry: ManagedFields, taken: Path[]): ManagedFields {
  const lost = new Set(taken.map(textOf));
  return { ...entry, fieldsV1: fieldSet(pathsOf(entry.fieldsV1 as Tree).filter((path) => !lost.has(textOf(path)))) };
}

function conflictOf(conflicts: { owner: ManagedFields; path: Path }[]): Refusal {
  const causes = conflicts.map(({ owner, path }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with "${owner.manager}" using ${owner.apiVersion}`,
    field: path.map((name) => `.${name}`).join(""),
  }));
  const lines = causes.map(({ message, field }) => `${message}: ${field}`).join(", ");
  const many = causes.length === 1 ? "1 conflict" : `${causes.length} conflicts`;
  return new Refusal(409, "Conflict", `Apply failed with ${many}: ${lines}`, { causes });
}
