import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { ConfigurationError, type Diagnostic } from "./diagnostic.ts";

interface YamlText {
  /** What the text stands for, as JSON has it. */
  value: unknown;
  /** Adds to diagnostics about the value the lines and columns of the text. */
  locate(diagnostics: readonly Diagnostic[]): Diagnostic[];
}

const SEVERAL =
  "a second YAML document begins here, and one is read: put it into a file of its own, or take the --- away";

/** Characters from which on JSON is read as such: some twenty times faster than as the YAML that it is as well. Places are looked up
 * once they are asked for, and a field that stands there twice is not told. */
const LARGE = 1_000_000;

/** Reads one YAML document; throws a ConfigurationError for what is not YAML. */
export function readYaml(text: string): YamlText {
  const json = text.length < LARGE ? undefined : parseJson(text);
  return json === undefined ? readAny(text) : { ...json, locate: (diagnostics) => readAny(text).locate(diagnostics) };
}

function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function readAny(text: string): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const refuse = (message: string, offset: number) => ({ path: [], message, at: lines.linePos(offset) });
  if (document.errors.length > 0) {
    const refusals = document.errors.map(({ code, message, pos }) =>
      refuse(code === "MULTIPLE_DOCS" ? SEVERAL : `not YAML: ${message}`, pos[0]),
    );
    throw new ConfigurationError(refusals);
  }

  /** The start of the field or item that a diagnostic is about, or of the last one there is on the way. */
  const offsetOf = ({ path, field }: Diagnostic) => {
    let node: unknown = document.contents;
    let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    for (const step of field === undefined ? path : [...path, field]) {
      const within = isAlias(node) ? node.resolve(document) : node;
      const pair = isMap(within) ? within.items.find(({ key }) => isScalar(key) && key.value === step) : undefined;
      node = isSeq(within) && typeof step === "number" ? within.items[step] : pair?.value;
      const start = pair ? pair.key : node;
      if (isNode(start)) offset = start.range?.[0] ?? offset;
    }
    return offset;
  };

  try {
    return {
      value: document.toJS(),
      locate: (diagnostics) =>
        diagnostics.map((diagnostic) => ({ ...diagnostic, at: lines.linePos(offsetOf(diagnostic)) })),
    };
  } catch (error) {
    throw new ConfigurationError([refuse(`not YAML: ${error instanceof Error ? error.message : String(error)}`, 0)]);
  }
}
