// A user's own file, YAML or JSON, read and written again in the style that it has.
import { isDeepStrictEqual } from "node:util";
import { type Document, LineCounter, parseAllDocuments, Scalar, type ScalarTag } from "yaml";
import { ConfigurationError } from "../../routes/reading/diagnostic.ts";

export interface Place {
  line: number;
  col: number;
}

export interface Text {
  document: Document;
  /** Where an offset in the text is. */
  place: (offset: number) => Place;
  /** The text as the document is now; the very text that was read where nothing has changed. */
  serialize: () => string;
}

export function readText(original: string): Text {
  const { text, restored } = withUsualLines(original);
  const lines = new LineCounter();
  const [document, second] = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    keepSourceTokens: true,
  });
  const refuse = (message: string, offset: number) =>
    new ConfigurationError([{ path: [], message, at: lines.linePos(offset) }]);
  if (document === undefined || !("errors" in document)) throw refuse("it is empty", 0);
  const [error] = document.errors;
  if (error) throw refuse(`not YAML: ${error.message}`, error.pos[0]);
  if (second) throw refuse("a second document, and one is read", second.range[0]);
  const before = plain(document, refuse);
  const json = isJson(text);
  return {
    document,
    place: (offset) => lines.linePos(offset),
    serialize: () => {
      const after: unknown = document.toJS();
      if (isDeepStrictEqual(before, after)) return original;
      return restored(json ? toJson(after, text) : toText(document, text));
    },
  };
}

/** The text with `\n` at the ends of its lines, and how a text gets back the line ends that this one had. */
function withUsualLines(original: string): { text: string; restored: (text: string) => string } {
  const windows = original.includes("\r\n") && !/(?<!\r)\n/.test(original);
  if (!windows) return { text: original, restored: (made) => made };
  return { text: original.replaceAll("\r\n", "\n"), restored: (made) => made.replaceAll("\n", "\r\n") };
}

function plain(document: Document, refuse: (message: string, offset: number) => Error): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw refuse(`not YAML: ${error instanceof Error ? error.message : String(error)}`, 0);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function toJson(value: unknown, text: string): string {
  return JSON.stringify(value, null, jsonIndent(text)) + (/\s*$/.exec(text)?.[0] ?? "");
}

function jsonIndent(text: string): string | number {
  return /\n([ \t]+)"/.exec(text)?.[1] ?? (text.trim().includes("\n") ? 2 : 0);
}

function toText(document: Document, text: string): string {
  keepFoldedText(document);
  const steps = [...text.matchAll(/^( +)[^\s#]/gm)].map(([, spaces = ""]) => spaces.length);
  return document.toString({
    indent: steps.length === 0 ? 2 : Math.max(2, Math.min(8, ...steps)),
    indentSeq: !/^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n\1- /m.test(text),
    flowCollectionPadding: /\{ \S/.test(text) && !/\{[^\s}]/.test(text.replaceAll(/"[^"]*"|'[^']*'/g, "")),
    lineWidth: 0,
  });
}

/** Text behind `>` is written with the line ends that it was read with; the library would find other ones. */
function keepFoldedText({ schema }: Document): void {
  const string = schema.tags.find((tag): tag is ScalarTag => tag.tag === "tag:yaml.org,2002:str");
  const stringify = string?.stringify;
  if (string === undefined || stringify === undefined) return;
  const kept: ScalarTag = {
    ...string,
    stringify: (item, context, ...rest) => foldedAsRead(item, context) ?? stringify(item, context, ...rest),
  };
  schema.tags = schema.tags.map((tag) => (tag === string ? kept : tag));
}

type Context = Parameters<NonNullable<ScalarTag["stringify"]>>[1];

function foldedAsRead({ type, srcToken }: Scalar, { inFlow, indent }: Context): string | undefined {
  if (type !== Scalar.BLOCK_FOLDED || srcToken?.type !== "block-scalar" || inFlow) return undefined;
  const header = srcToken.props.find((prop) => prop.type === "block-scalar-header");
  if (header === undefined || !("source" in header) || /\d/.test(header.source)) return undefined;
  const lines = srcToken.source.replace(/\n+$/, "").split("\n");
  const depth = Math.min(...lines.filter((line) => line.trim() !== "").map((line) => line.search(/\S/)));
  return [header.source, ...lines.map((line) => (line.trim() === "" ? "" : indent + line.slice(depth)))].join("\n");
}
