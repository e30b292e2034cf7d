// Takes a text apart into the things that it holds: the documents of YAML, the values of JSON, and the items of lists in either.
import { ConfigurationError, type Path } from "../routes/reading/diagnostic.ts";
import { readYaml } from "../routes/reading/yaml.ts";
import { reason } from "../shared/errors.ts";
import { withFileErrors } from "../shared/input.ts";
import { endOfValue, offsetOf, skipSpace } from "./json-text.ts";

export interface Place {
  line: number;
  col: number;
}

/** One thing of an input: a document, or an item of one that is a list. */
export interface Item {
  /** The file's path; `-` for standard input. */
  file: string;
  value: unknown;
  /** Where the value stands in its document. */
  path: Path;
  /** Where in the file something stands that a path leads to from the value. */
  locate(path: Path): Place | undefined;
}

/** A part of a text that is read by itself. */
interface Piece {
  text: string;
  /** The lines of the file before it. */
  linesBefore: number;
}

/** Characters of a YAML document from which on the items of its list are read one by one, which takes a tenth of the memory. */
const LARGE = 200_000;
/** Characters of a text from which on what begins like JSON is not tried as YAML as well. */
const HUGE = 5_000_000;

/** One after the other, as a large text takes its time. Throws a KeywayError with the places of what is neither YAML nor JSON. */
export function* readItems(file: string, text: string): Generator<Item> {
  try {
    for (const document of documentsOf(file, text)) yield* flattened(document);
  } catch (thrown) {
    withFileErrors(file, () => {
      if (!(thrown instanceof RangeError)) throw thrown;
      throw new ConfigurationError([{ path: [], message: "it is nested too deeply, or too large, to be read" }]);
    });
  }
}

function* documentsOf(file: string, text: string): Generator<Item> {
  const values = /^\s*[{[]/.test(text) ? jsonValues(file, text) : undefined;
  if (values !== undefined) yield* values;
  else for (const piece of yamlPieces(text)) yield* itemsOf(file, piece);
}

/** The values of a text of JSON values one behind the other; undefined for what is no JSON, and may be YAML. */
function jsonValues(file: string, text: string): Item[] | undefined {
  try {
    return [jsonItem(file, JSON.parse(text), text, 0)];
  } catch (thrown) {
    const found = jsonSequence(file, text);
    if (found !== undefined || text.length <= HUGE) return found;
    throw new ConfigurationError([{ path: [], message: `not JSON: ${reason(thrown)}` }]);
  }
}

function jsonSequence(file: string, text: string): Item[] | undefined {
  const found: Item[] = [];
  try {
    for (let at = skipSpace(text, 0); at < text.length; ) {
      const end = endOfValue(text, at);
      const own = text.slice(at, end);
      found.push(jsonItem(file, JSON.parse(own), own, linesIn(text, at)));
      at = skipSpace(text, end);
    }
  } catch {
    return undefined;
  }
  return found;
}

function jsonItem(file: string, value: unknown, text: string, linesBefore: number): Item {
  return {
    file,
    value,
    path: [],
    locate: (path) => {
      const offset = offsetOf(text, path);
      const start = text.lastIndexOf("\n", offset - 1) + 1;
      return { line: linesBefore + linesIn(text, offset) + 1, col: offset - start + 1 };
    },
  };
}

function linesIn(text: string, end: number): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

/** The documents of a YAML text that hold anything. A line that begins with `---` divides documents wherever it stands. */
function yamlPieces(text: string): Piece[] {
  const pieces: Piece[] = [];
  let linesBefore = 0;
  for (const part of text.split(/^(?=---(?:\s|$))/m)) {
    const own = part.replace(/^---/, "   ");
    if (/^[ \t]*[^\s#%.]|^[ \t]*\.(?!\.\.)/m.test(own)) pieces.push({ text: own, linesBefore });
    linesBefore += linesIn(part, part.length);
  }
  return pieces;
}

function* itemsOf(file: string, piece: Piece): Generator<Item> {
  const parts = piece.text.length > LARGE ? listItems(piece) : undefined;
  if (parts === undefined) yield yamlItem(file, piece, []);
  else for (const [index, part] of parts.entries()) yield yamlItem(file, part, ["items", index]);
}

function yamlItem(file: string, { text, linesBefore }: Piece, path: Path): Item {
  const shifted = (at: Place | undefined) => at && { ...at, line: at.line + linesBefore };
  const isPart = path.length > 0;
  try {
    const { value } = readYaml(text);
    return {
      file,
      value: isPart ? (value as unknown[])[0] : value,
      path,
      locate: (below) => {
        const within = isPart ? [0, ...below] : below;
        return shifted(readYaml(text).locate([{ path: within, message: "" }])[0]?.at);
      },
    };
  } catch (thrown) {
    if (!(thrown instanceof ConfigurationError)) throw thrown;
    throw new ConfigurationError(
      thrown.diagnostics.map(({ at, ...rest }) => {
        const place = shifted(at);
        return place ? { ...rest, at: place } : rest;
      }),
    );
  }
}

/** The items of a document like `kubectl get -o yaml` prints it, each for itself; undefined for any other. */
function listItems({ text, linesBefore }: Piece): Piece[] | undefined {
  const head = /^items:[ \t]*\n(?=([ ]*)- )/m.exec(text);
  // What an anchor stands for may be named in another item.
  if (head === null || /[\s:,[{-][&*][\w-]+/.test(text)) return undefined;
  const start = head.index + head[0].length;
  const indent = head[1] ?? "";
  const rest = text.slice(start);
  const end = new RegExp(`^(?!${indent}(?:- | )|\\s*(?:#|$))`, "m").exec(rest)?.index ?? rest.length;
  let before = linesBefore + linesIn(text, start);
  return rest
    .slice(0, end)
    .split(new RegExp(`^(?=${indent}- )`, "m"))
    .filter((part) => part !== "")
    .map((part) => {
      const piece = { text: part, linesBefore: before };
      before += linesIn(part, part.length);
      return piece;
    });
}

/** The items of a Kubernetes list; anything else is itself. */
function flattened(item: Item): Item[] {
  const { value } = item;
  if (typeof value !== "object" || value === null || !("items" in value) || !Array.isArray(value.items)) return [item];
  const kind = "kind" in value && typeof value.kind === "string" ? value.kind : "";
  if (!kind.endsWith("List")) return [item];
  return value.items.map((one: unknown, index): Item => {
    const above = ["items", index];
    return { ...item, value: one, path: [...item.path, ...above], locate: (path) => item.locate([...above, ...path]) };
  });
}
