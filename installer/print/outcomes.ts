import type { Io } from "../cli/io.ts";
import { emit, type Format, table } from "../cli/output.ts";
import { type KubeObject, title } from "../cluster/object.ts";
import { withoutBookkeeping } from "../manifests/contents.ts";

export interface ObjectOutcome {
  object: KubeObject;
  /** `created`, `unchanged (dry run)`. */
  outcome: string;
}

/** What an installation's objects became: for people a table, for programs the objects as `kubectl apply -f -` takes them. */
export function printApplied(io: Io, format: Format, outcomes: ObjectOutcome[]): void {
  const items = outcomes.map(({ object }) => withoutBookkeeping(object));
  emit(io, format, { apiVersion: "v1", kind: "List", items }, () => outcomeTable(io, outcomes));
}

/** What became of objects that were taken off. */
export function printRemoved(io: Io, format: Format, outcomes: ObjectOutcome[]): void {
  const rows = outcomes.map(({ object, outcome }) => ({ object: title(object), outcome }));
  emit(io, format, rows, () => outcomeTable(io, outcomes));
}

function outcomeTable(io: Io, outcomes: ObjectOutcome[]): string {
  return table(
    io,
    ["object", "outcome"],
    outcomes.map(({ object, outcome }) => [title(object), outcome]),
  );
}
