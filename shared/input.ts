import { readFile } from "node:fs/promises";
import { MAX_TEXT } from "../routes/model/names.ts";
import { ConfigurationError, type Diagnostic, formatDiagnostic } from "../routes/reading/diagnostic.ts";
import { KeywayError, reason } from "./errors.ts";
import type { Io } from "./io.ts";

/** The text of a file, or of standard input for `-`. */
export async function readInput(path: string, io: Io): Promise<string> {
  return decode(await readInputBytes(path, io), path);
}

export async function readInputBytes(path: string, io: Io): Promise<Buffer> {
  return path === "-" ? readUntil(io, () => false) : readBytes(path, "check the path; `-` reads standard input");
}

/** A file as people are told of it. */
export function nameOf(path: string): string {
  return path === "-" ? "standard input" : path;
}

/** The text of UTF-8 that was read from a path, without the mark that some editors put before it. */
export function decode(bytes: Buffer, path: string): string {
  const name = nameOf(path);
  const text = bytes.toString("utf8");
  for (let at = text.indexOf(REPLACED); at >= 0; at = text.indexOf(REPLACED, at + 1)) {
    const before = text.slice(0, at);
    const offset = Buffer.byteLength(before);
    // The character itself may stand in a file, too.
    if (bytes.toString("utf8", offset, offset + 3) === REPLACED && bytes[offset] === 0xef) continue;
    const lines = before.split("\n");
    const encoding = hasUtf16Mark(bytes) ? "UTF-16" : "ISO-8859-1";
    throw new KeywayError(
      `${name}:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}: byte ${offset} (0x${bytes[offset]?.toString(16)}) is no UTF-8`,
      { next: `save it as UTF-8: iconv -f ${encoding} -t UTF-8 ${name === "standard input" ? "FILE" : name}` },
    );
  }
  return text.replace(/^\uFEFF/, "");
}

function hasUtf16Mark([first, second]: Buffer): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

/** What decoding puts in the place of bytes that are no UTF-8. */
const REPLACED = "\uFFFD";

/** A file; `next` is what to do when there is none. */
export async function readBytes(path: string, next: string): Promise<Buffer<ArrayBuffer>> {
  try {
    return await readFile(path);
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new KeywayError(missing ? `there is no file ${path}` : `can't read ${path}: ${reason(cause)}`, {
      next: missing ? next : "make it a readable file",
      cause,
    });
  }
}

/** The token in a file, which becomes a part of a header; what is in the file is told to nobody. */
export async function readToken(path: string, io: Io): Promise<string> {
  const token = (await readInput(path, io)).trim();
  if (/^[!-~]+$/.test(token) && token.length <= MAX_TEXT) return token;
  throw new KeywayError(`${nameOf(path)} holds no token`, {
    next: `put the token alone into it: 1 to ${MAX_TEXT} characters of ASCII, no spaces`,
  });
}

/** Mistakes of one file that are told one by one. */
const SHOWN = 20;

/** Runs what reads `file`, and puts its diagnostics in words that name the file, the line and the column. */
export function withFileErrors<Result>(file: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause;
    const name = nameOf(file);
    const { length } = cause.diagnostics;
    const lines = cause.diagnostics.slice(0, SHOWN).map((diagnostic) => diagnosticLine(file, diagnostic));
    if (length > SHOWN) lines.push(`and ${length - SHOWN} more`);
    const what = length === 1 ? lines[0] : `${name} has ${length} mistakes\n  ${lines.join("\n  ")}`;
    throw new KeywayError(what ?? name, { next: `mend ${name} and run the command again`, cause });
  }
}

/** `routes.yaml:3:5: routes[0].to: required`, by the path of the file as it was given. */
export function diagnosticLine(path: string, diagnostic: Diagnostic): string {
  const { at } = diagnostic;
  return `${nameOf(path)}:${at ? `${at.line}:${at.col}:` : ""} ${formatDiagnostic(diagnostic)}`;
}

/** The first line of standard input. */
export async function readLine(io: Io): Promise<string> {
  const bytes = await readUntil(io, (piece) => piece.includes("\n"));
  return bytes.toString("utf8").split(/\r?\n/, 1)[0] ?? "";
}

/** Reads standard input to its end, or to the first piece that is `enough`; an interruption ends the wait for what never comes. */
async function readUntil({ in: input, signal }: Io, enough: (piece: Buffer) => boolean): Promise<Buffer> {
  const iterator = Symbol.asyncIterator in input ? input[Symbol.asyncIterator]() : input[Symbol.iterator]();
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  const pieces: Buffer[] = [];
  try {
    for (;;) {
      signal.throwIfAborted();
      const next = await Promise.race([iterator.next(), interrupted]);
      if (next.done) break;
      const piece = Buffer.from(next.value);
      pieces.push(piece);
      if (enough(piece)) break;
    }
  } finally {
    // An open standard input would keep the process alive.
    if ("destroy" in input && typeof input.destroy === "function") input.destroy();
  }
  return Buffer.concat(pieces);
}
