// New nodes of a YAML document in the style of those that are there.
import { type Document, isMap, isSeq, type Node, type Pair } from "yaml";

/** The longest list or map that is written on one line where a file has such lines at all, in characters of JSON. */
const ONE_LINE = 70;

export function created(document: Document, value: unknown): Node {
  const node = document.createNode(value, { aliasDuplicateObjects: false });
  const inline = (at: unknown): boolean => {
    if (!isMap(at) && !isSeq(at)) return true;
    for (const item of at.items) inline(isMap(at) ? (item as Pair).value : item);
    const text = JSON.stringify(at.toJS(document));
    if (text.length <= ONE_LINE && !text.includes("@type") && !text.includes("\\n") && at.items.length > 0)
      at.flow = true;
    return at.flow === true;
  };
  if (usesFlow(document)) inline(node);
  return node;
}

const flows = new WeakMap<Document, boolean>();

function usesFlow(document: Document): boolean {
  const known = flows.get(document);
  if (known !== undefined) return known;
  const any = (node: unknown): boolean => {
    if (!isMap(node) && !isSeq(node)) return false;
    if (node.flow === true && node.items.length > 0) return true;
    return node.items.some((item) => any(isMap(node) ? (item as Pair).value : item));
  };
  const found = any(document.contents);
  flows.set(document, found);
  return found;
}
