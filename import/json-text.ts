// Where the values of a JSON text stand. The text has been parsed before, so its syntax is right.

/** The offset behind the value that begins at `start`. */
export function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at) - 1;
    else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    else if (depth === 0 && (character === "," || character === ":")) return at;
    else if (depth > 0 || !isSpace(character)) continue;
    else return at;
    if (depth === 0) return at + 1;
    if (depth < 0) return at;
  }
  return text.length;
}

/** The offset of the field or item that a path leads to, or of the last one there is on the way. */
export function offsetOf(text: string, path: readonly (string | number)[]): number {
  let value = skipSpace(text, 0);
  let shown = value;
  for (const step of path) {
    const next = typeof step === "number" ? elementAt(text, value, step) : memberAt(text, value, step);
    if (next === undefined) break;
    ({ value, start: shown } = next);
  }
  return shown;
}

export function skipSpace(text: string, start: number): number {
  let at = start;
  while (isSpace(text[at])) at++;
  return at;
}

const isSpace = (character: string | undefined) =>
  character === " " || character === "\n" || character === "\r" || character === "\t";

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** Where a field begins, which is at its name, or an item, and where its value does. */
interface Offsets {
  start: number;
  value: number;
}

function elementAt(text: string, list: number, index: number): Offsets | undefined {
  if (text[list] !== "[") return undefined;
  let at = skipSpace(text, list + 1);
  for (let passed = 0; at < text.length && text[at] !== "]"; passed++) {
    if (passed === index) return { start: at, value: at };
    at = skipSpace(text, endOfValue(text, at));
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return undefined;
}

function memberAt(text: string, object: number, name: string): Offsets | undefined {
  if (text[object] !== "{") return undefined;
  let at = skipSpace(text, object + 1);
  while (text[at] === '"') {
    const start = at;
    const end = endOfString(text, at);
    at = skipSpace(text, skipSpace(text, end) + 1);
    if (JSON.parse(text.slice(start, end)) === name) return { start, value: at };
    at = skipSpace(text, endOfValue(text, at));
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return undefined;
}
