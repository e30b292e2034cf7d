import { type KubeObject, title } from "../../shared/cluster/object.ts";
import type { Io } from "../../shared/io.ts";
import { emit, type Format, table } from "../cli/output.ts";
import { withoutBookkeeping } from "../manifests/contents.ts";

export interface ObjectOutcome {
  object: KubeObject;
  /** `created`, `unchanged (dry run)`. */
  outcome: string;
}

/** What an installation's objects became: for people a table, for programs the objects as `kubectl apply -f -` takes them, and
 * the outcomes beside them. */
export function printApplied(io: Io, format: Format, outcomes: ObjectOutcome[]): void {
  const items = outcomes.map(({ object }) => withoutBookkeeping(object));
  const list = { apiVersion: "v1", kind: "List", items, outcomes: inWords(outcomes) };
  emit(io, format, list, () => outcomeTable(io, outcomes));
}

/** What became of objects that were taken off. */
export function printRemoved(io: Io, format: Format, outcomes: ObjectOutcome[]): void {
  emit(io, format, inWords(outcomes), () => outcomeTable(io, outcomes));
}

function inWords(outcomes: ObjectOutcome[]) {
  return outcomes.map(({ object, outcome }) => ({ object: title(object), outcome }));
}

function outcomeTable(io: Io, outcomes: ObjectOutcome[]): string {
  return table(
    io,
    ["object", "outcome"],
    outcomes.map(({ object, outcome }) => [title(object), outcome]),
  );
}
