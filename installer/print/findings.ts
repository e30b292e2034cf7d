import { CHANGES, type Finding, type FindingKind, placeOf, type Report } from "../../import/report.ts";
import type { Io } from "../../shared/io.ts";
import { progress } from "../cli/progress.ts";

/** Findings of one kind that are told one by one. */
const SHOWN = 1000;

/** Tells a person on stderr what is not as it was, each with its place, and what has to be done. */
export function printFindings(io: Io, { findings, keys }: Report): void {
  const steps = progress(io);
  const byKind = Map.groupBy(findings, ({ kind }) => kind);
  for (const kind of [...CHANGES, "note"] as const) {
    const own = byKind.get(kind) ?? [];
    for (const finding of own.slice(0, SHOWN)) steps.warn(lineOf(finding));
    if (own.length > SHOWN) steps.warn(`and ${own.length - SHOWN} more ${kind === "note" ? "notes" : kind}`);
  }
  if (keys.length > 0)
    steps.next(`have the proxies read keys from ${keys.join(", ")} (\`keys\` in their configuration)`);
}

function lineOf({ kind, item, path, message }: Finding): string {
  return `${placeOf(item, path)}: ${kind === "note" ? "" : `${kind}: `}${message}`;
}

/** `2 widened, 1 dropped`; undefined where all is carried over as it was. */
export function changesOf(findings: readonly Finding[], kinds: readonly FindingKind[] = CHANGES): string | undefined {
  const parts = kinds.flatMap((kind) => {
    const { length } = findings.filter((one) => one.kind === kind);
    return length === 0 ? [] : `${length} ${kind}`;
  });
  return parts.length === 0 ? undefined : parts.join(", ");
}
