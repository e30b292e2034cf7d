/** What a person needs when something fails: what happened, to what, and what to do next. */
export interface Explanation {
  /** The thing it happened to: a file and line, a URL, a resource. */
  where?: string;
  /** One thing to do about it. */
  next?: string;
  cause?: unknown;
}

/** A failure that the person or their surroundings can mend; anything else that is thrown is a fault of keyway. */
export class KeywayError extends Error {
  override name = "KeywayError";
  readonly exitCode: number = 1;
  readonly where: string | undefined;
  readonly next: string | undefined;

  constructor(what: string, { where, next, cause }: Explanation = {}) {
    super(what, cause === undefined ? undefined : { cause });
    this.where = where;
    this.next = next;
  }
}

/** A command line that asks for something impossible: exit code 2. */
export class UsageError extends KeywayError {
  override name = "UsageError";
  override readonly exitCode = 2;
}

/** The text of whatever was thrown, with the causes that Node's fetch and sockets hide one level down. */
export function reason(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const code = "code" in thrown && typeof thrown.code === "string" ? thrown.code : "";
  const text = thrown.message || code || thrown.name;
  const inner = thrown instanceof AggregateError ? thrown.errors[0] : thrown.cause;
  if (inner === undefined) return text;
  const cause = reason(inner);
  return text.includes(cause) ? text : `${text}: ${cause}`;
}

/** A foreign text as one short line that can't steer a terminal. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, " ").slice(0, 200);
}
