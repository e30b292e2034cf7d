import { nearest } from "./closest.ts";

export type Path = readonly (string | number)[];

/** What is wrong with a configuration, and where. */
export interface Diagnostic {
  readonly path: Path;
  readonly message: string;
  /** The field of what `path` leads to that the message is about, when it has no place of its own in `path`. */
  readonly field?: string;
  /** Where in the text it was read from; both count from 1. */
  readonly at?: { readonly line: number; readonly col: number };
}

/** A configuration, or a route file, that can't be used. */
export class ConfigurationError extends Error {
  override name = "ConfigurationError";
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(formatDiagnostic).join("; "));
    this.diagnostics = diagnostics;
  }
}

/** `routes[3].to: required`: the filter's own wording for the same mistake. */
export function formatDiagnostic({ path, message }: Diagnostic): string {
  return path.length === 0 ? message : `${formatPath(path)}: ${message}`;
}

export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? part : `${text}.${part}`;
  }, "");
}

/** `; did you mean a or b?`, or nothing when no candidate is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const names = nearest(name, candidates);
  return names.length === 0 ? "" : `; did you mean ${names.join(" or ")}?`;
}
