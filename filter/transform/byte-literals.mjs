// A transform for asc: in the module a string literal is a `Bytes`, a length and that many bytes laid down in the module's
// data, each text once, instead of UTF-16 that would have to be converted when the module starts, in every worker.
import { LiteralKind, Node, NodeKind } from "assemblyscript";
import { Transform } from "assemblyscript/transform";

/** Library code keeps its strings. */
const isOurs = (source) => !source.internalPath.startsWith("~lib") && !source.internalPath.startsWith("node_modules");

const isString = (node) => node?.kind === NodeKind.Literal && node.literalKind === LiteralKind.String;

const keepsStrings = new Set([NodeKind.Source, NodeKind.Import, NodeKind.Export, NodeKind.Decorator]);

export default class ByteLiterals extends Transform {
  afterParse(parser) {
    /** The constant's name, by its text. */
    const names = new Map();
    const constants = parser.sources.filter(isOurs).flatMap((source, file) => {
      const before = names.size;
      replaceIn(source.statements, names, new Set());
      return block(`texts${file}`, [...names].slice(before));
    });
    parser.parseFile(constants.join("\n"), "byte-literals.ts", false);
  }
}

/** Replaces the literals below `node`, whatever kinds of nodes there are between. */
function replaceIn(node, names, seen) {
  if (seen.has(node) || keepsStrings.has(node.kind)) return;
  seen.add(node);
  for (const [field, child] of Object.entries(node)) {
    if (isString(child)) {
      if (!names.has(child.value)) names.set(child.value, `bytes${names.size}`);
      node[field] = Node.createIdentifierExpression(names.get(child.value), child.range);
    } else if (child !== null && typeof child === "object" && field !== "range") replaceIn(child, names, seen);
  }
}

// The texts of one file lie side by side, since each piece of data costs the module some bytes of its own.
function block(name, texts) {
  const all = [];
  const constants = texts.map(([text, own]) => {
    const at = all.length;
    const content = Buffer.from(text, "latin1");
    const length = Buffer.alloc(4);
    length.writeUInt32LE(content.length);
    all.push(...length, ...content);
    return `@global @lazy const ${own} = changetype<Bytes>(${name} + ${at});`;
  });
  return all.length === 0 ? [] : [`@lazy const ${name} = memory.data<u8>([${all.join()}]);`, ...constants];
}
