// A transform for asc: in the module a string literal is a `Bytes`, a length and that many bytes laid down in the module's
// data, instead of UTF-16 text that would have to be converted when the module starts, in every worker.
import { LiteralKind, NodeKind, Source, SourceKind, Tokenizer } from "assemblyscript";
import { Transform } from "assemblyscript/transform";

/** Library code keeps its strings. */
const isOurs = (source) => !source.internalPath.startsWith("~lib") && !source.internalPath.startsWith("node_modules");

const isString = (node) => node?.kind === NodeKind.Literal && node.literalKind === LiteralKind.String;

const keepsStrings = new Set([NodeKind.Import, NodeKind.Export, NodeKind.Decorator]);

export default class ByteLiterals extends Transform {
  afterParse(parser) {
    for (const source of parser.sources.filter(isOurs)) this.replaceIn(source.statements, parser, new Set());
  }

  /** Replaces the literals below `node`, whatever kinds of nodes there are between. */
  replaceIn(node, parser, seen) {
    if (seen.has(node) || node instanceof Source || keepsStrings.has(node.kind)) return;
    seen.add(node);
    for (const [field, child] of Object.entries(node)) {
      if (isString(child)) node[field] = bytes(child.value, parser);
      else if (child !== null && typeof child === "object" && field !== "range") this.replaceIn(child, parser, seen);
    }
  }
}

function bytes(text, parser) {
  const content = Buffer.from(text, "latin1");
  const length = Buffer.alloc(4);
  length.writeUInt32LE(content.length);
  const data = [...length, ...content].join();
  const code = new Source(SourceKind.User, "byte-literal", `changetype<Bytes>(memory.data<u8>([${data}], 4))`);
  return parser.parseExpression(new Tokenizer(code, parser.diagnostics));
}
