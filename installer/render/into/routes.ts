// Twins among the routes of one route configuration of the file.
import { isDeepStrictEqual } from "node:util";
import { type Document, isMap, isNode, isSeq, type YAMLMap, type YAMLSeq } from "yaml";
import { isGuarded, withRemoval } from "../../twins/headers.ts";
import { field, isMessage, type Message } from "../../twins/spelling.ts";
import { spellingOf, type TwinOptions, type TwinRemark, twinsOf } from "../../twins/twins.ts";
import { child, createdLike, plainOf, put, resolved } from "./nodes.ts";

const COMMENT = " Keyway's twin of the route that follows, for requests that the filter selected.";

export interface LocatedRemark extends TwinRemark {
  /** The offset in the text that was read. */
  offset: number;
}

/** Puts the twins into the file, in place of those that it had; what can't be done is returned. */
export function putTwins(document: Document, node: YAMLMap, options: TwinOptions): readonly LocatedRemark[] {
  const value: Message = node.toJS(document);
  const { virtualHosts, remarks } = twinsOf(value, options);
  const located = remarks.map((remark) => ({ ...remark, offset: offsetAt(document, node, remark.path) }));
  const hosts = child(document, node, "virtual_hosts");
  const done = new Set<unknown>();
  for (const { index, twins } of virtualHosts) {
    const routes = isSeq(hosts) ? child(document, hosts.items[index], "routes") : undefined;
    if (!isSeq(routes) || done.has(routes)) continue;
    done.add(routes);
    putBefore(document, routes, new Map(twins.map(({ before, twin }) => [before, twin])));
  }
  const spelling = spellingOf(value);
  const removed = field(withRemoval(value, spelling), "request_headers_to_remove");
  put(document, node, "request_headers_to_remove", removed, spelling);
  return located;
}

function offsetAt(document: Document, node: YAMLMap, path: TwinRemark["path"]): number {
  let at: unknown = node;
  for (const step of path) {
    const within = resolved(document, at);
    at = isMap(within) ? within.get(step, true) : isSeq(within) ? within.items[Number(step)] : undefined;
  }
  return (isNode(at) ? at.range?.[0] : undefined) ?? node.range?.[0] ?? 0;
}

/** The new list of routes, where a twin that is what it should be stays as it is written. */
function putBefore(document: Document, routes: YAMLSeq, twins: ReadonlyMap<number, Message>): void {
  const guarded = routes.items.map((item) => {
    const value = plainOf(document, item);
    return isMessage(value) && isGuarded(value);
  });
  const items = routes.items.flatMap((item, at) => {
    if (guarded[at]) return [];
    const twin = twins.get(at);
    return twin === undefined
      ? [item]
      : [twinNode(document, twin, item, guarded[at - 1] && routes.items[at - 1]), item];
  });
  const [first] = routes.items;
  if (items.length === routes.items.length && items.every((item, at) => item === routes.items[at])) return;
  if (items[0] !== first) moveComment(routes, guarded[0] ? undefined : first);
  routes.items = items;
}

/** The node of a twin: the old one, as it stands in the file, where it is equal. */
function twinNode(document: Document, twin: Message, route: unknown, old: unknown): unknown {
  if (isDeepStrictEqual(plainOf(document, old), twin)) return old;
  const node = createdLike(document, twin, route);
  if (isMap(node)) delete node.flow;
  node.commentBefore = COMMENT;
  if (isNode(route) && "spaceBefore" in route && route.spaceBefore) node.spaceBefore = true;
  return node;
}

/** A comment above the first item is one of the list; when another item comes before, it goes with the item or is left out. */
function moveComment(list: YAMLSeq, item: unknown): void {
  if (list.commentBefore && isNode(item))
    item.commentBefore = [list.commentBefore, item.commentBefore].filter(Boolean).join("\n");
  delete list.commentBefore;
}
