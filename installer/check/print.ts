import { KeywayError } from "../../shared/errors.ts";
import { colors, type Io, type Sink } from "../../shared/io.ts";
import { type CheckResult, failures } from "./check.ts";

const marks = { ok: "√", warning: "‼", fatal: "×", skipped: "-" } as const;
const paints = { ok: "green", warning: "yellow", fatal: "red", skipped: "dim" } as const;

/** One check as people read it: the mark, what was looked at, what was seen, and what to do. */
export function resultText(io: Io, sink: Sink, { status, description, detail, hint, id }: CheckResult): string {
  const paint = colors(io, sink);
  const lines = [`${paint[paints[status]](marks[status])} ${description}`];
  const seen = detail?.split("\n").map((line) => `    ${line}`) ?? [];
  if (status === "ok") return [...lines, ...seen.map(paint.dim)].join("\n");
  return [...lines, ...seen, ...(hint === undefined ? [] : [`    ${paint.bold("hint:")} ${hint} (${id})`])].join("\n");
}

/** Stops a command before it changes anything. */
export function refuse(results: readonly CheckResult[]): void {
  const failed = failures(results);
  if (failed.length === 0) return;
  const lines = failed.map(({ description, detail, hint }) => {
    return `\n  × ${description}${detail ? `: ${detail}` : ""}${hint ? `\n    hint: ${hint}` : ""}`;
  });
  const skipped = results.filter(({ status }) => status === "skipped").map(({ id }) => id);
  const unseen = skipped.length === 0 ? "" : `\n  - not looked at: ${skipped.join(", ")}`;
  throw new KeywayError(`nothing was changed, because traffic would suffer:${lines.join("")}${unseen}`, {
    next: `mend it, or go on all the same with ${failed.map(({ id }) => `--ignore ${id}`).join(" ")}`,
  });
}
