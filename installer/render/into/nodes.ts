// The nodes of a YAML document by Envoy's field names, and new nodes in the style of the ones that are there.
import { isDeepStrictEqual } from "node:util";
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  Pair,
  type Scalar,
  YAMLMap,
  YAMLSeq,
} from "yaml";
import { type Spelling, spelled } from "../../twins/spelling.ts";
import { created } from "../../yaml-edit/created.ts";

/** A node, or the one that it is an alias of. */
export function resolved(document: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

export function plainOf(document: Document, node: unknown): unknown {
  return isNode(node) ? node.toJS(document) : node;
}

/** The pair of a field, which is named in snake_case and may be spelled otherwise. */
export function pairOf(map: YAMLMap, name: string): Pair | undefined {
  const names: unknown[] = [name, spelled(name, "camel")];
  return map.items.find(({ key }) => names.includes(isScalar(key) ? key.value : key));
}

export function child(document: Document, node: unknown, name: string): unknown {
  const map = resolved(document, node);
  return isMap(map) ? resolved(document, pairOf(map, name)?.value) : undefined;
}

/** What stands at the end of a chain of fields, as a value. */
export function valueAt(document: Document, node: unknown, ...names: string[]): unknown {
  return plainOf(
    document,
    names.reduce((within, name) => child(document, within, name), node),
  );
}

export function itemsAt(document: Document, node: unknown, name: string): unknown[] {
  const list = child(document, node, name);
  return isSeq(list) ? list.items : [];
}

/** Puts a value into a field, leaving what is equal already, with its comments, as it is. */
export function put(document: Document, map: YAMLMap, name: string, value: unknown, spelling: Spelling): void {
  const pair = pairOf(map, name);
  if (pair === undefined)
    map.items.push(new Pair(document.createNode(spelled(name, spelling)), created(document, value)));
  else if (!isDeepStrictEqual(plainOf(document, pair.value), value)) pair.value = created(document, value);
}

export function remove(map: YAMLMap, name: string): void {
  const pair = pairOf(map, name);
  map.items = map.items.filter((one) => one !== pair);
}

/** Adds an item to a list, which is made where there is none. */
export function append(document: Document, map: YAMLMap, name: string, item: unknown, spelling: Spelling): void {
  const list = child(document, map, name);
  if (isSeq(list)) {
    list.items.push(created(document, item));
    return;
  }
  const made = new YAMLSeq(document.schema);
  made.items.push(created(document, item));
  const pair = pairOf(map, name);
  if (pair) pair.value = made;
  else map.items.push(new Pair(document.createNode(spelled(name, spelling)), made));
}

/** A node with a value, for which the parts that it shares with a node of the file are written as they are there. */
export function createdLike(document: Document, value: unknown, example: unknown): Node {
  const like = resolved(document, example);
  if (isNode(like) && isDeepStrictEqual(plainOf(document, like), value)) return copied(document, like);
  if (isMap(like) && typeof value === "object" && value !== null && !Array.isArray(value)) {
    const map = new YAMLMap(document.schema);
    for (const [key, item] of Object.entries(value)) {
      const pair = like.items.find((one) => (isScalar(one.key) ? one.key.value : one.key) === key);
      const name = pair && isNode(pair.key) ? copied(document, pair.key) : document.createNode(key);
      map.items.push(new Pair(name, pair ? createdLike(document, item, pair.value) : created(document, item)));
    }
    return map;
  }
  if (isSeq(like) && Array.isArray(value)) {
    const list = new YAMLSeq(document.schema);
    list.items = value.map((item) => {
      const same = like.items.find((one) => isDeepStrictEqual(plainOf(document, one), item));
      return same === undefined ? created(document, item) : copied(document, same);
    });
    return inFlow(list, like);
  }
  return created(document, value);
}

/** A copy without comments and anchors, which belong to the original. */
function copied(document: Document, node: unknown): Node {
  const original = resolved(document, node);
  if (isMap(original)) {
    const map = new YAMLMap(document.schema);
    map.items = original.items.map(({ key, value }) => new Pair(copied(document, key), copied(document, value)));
    return inFlow(map, original);
  }
  if (isSeq(original)) {
    const list = new YAMLSeq(document.schema);
    list.items = original.items.map((item) => copied(document, item));
    return inFlow(list, original);
  }
  if (!isScalar(original)) return document.createNode(original ?? null);
  const scalar = original.clone() as Scalar;
  for (const name of ["comment", "commentBefore", "spaceBefore", "anchor"] as const) delete scalar[name];
  return scalar;
}

function inFlow<Kind extends YAMLMap | YAMLSeq>(node: Kind, like: YAMLMap | YAMLSeq): Kind {
  if (like.flow !== undefined) node.flow = like.flow;
  return node;
}
