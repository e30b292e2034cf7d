import { existsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap, type YAMLSeq } from "yaml";
import { toFileEntry } from "../../routes/model/file-entry.ts";
import { ConfigurationError, type Diagnostic } from "../../routes/reading/diagnostic.ts";
import { parseRouteList, type RouteList } from "../../routes/reading/route-list.ts";
import { fits } from "../../server/state/filter.ts";
import { decode, nameOf, readInputBytes, withFileErrors } from "../../shared/input.ts";
import type { Io } from "../../shared/io.ts";
import { deriveId } from "../../shared/route-id.ts";
import { replaceFile } from "../cli/replace.ts";
import type { ListFilter } from "../server-client/client.ts";
import { created } from "../yaml-edit/created.ts";
import { readText, type Text } from "../yaml-edit/text.ts";
import { type Changes, type Listed, type RouteTable, type TableRoute, type WantedRoute, withExpiry } from "./table.ts";

/** A text of routes, read. Throws a KeywayError with the places of its mistakes. */
export function readRouteList(path: string, text: string): RouteList {
  const now = Math.floor(Date.now() / 1000);
  return withFileErrors(path, () => parseRouteList(text, { now, idFor: deriveId }));
}

/** The routes of a route file, which is edited in place; one from standard input goes to standard output. */
export class FileTable implements RouteTable {
  readonly name: string;
  readonly #path: string;
  readonly #io: Io;
  #before: Buffer | undefined;
  #text = "";
  #list: RouteList | undefined;

  constructor(path: string, io: Io) {
    this.#path = path;
    this.#io = io;
    this.name = nameOf(path);
  }

  async list(filter: ListFilter): Promise<Listed> {
    const routes = (await this.#routes()).filter((route) => fits({ ...route, revision: 0 }, filter));
    return { routes: routes.sort((a, b) => (a.id < b.id ? -1 : 1)) };
  }

  async get(ids: readonly string[]): Promise<TableRoute[]> {
    const wanted = new Set(ids);
    return (await this.#routes()).filter(({ id }) => wanted.has(id));
  }

  async commit({ set, delete: gone }: Changes): Promise<undefined> {
    const { routes, locate } = await this.#read();
    const text = withFileErrors(this.#path, () => {
      const file = readText(this.#text.trim() === "" ? "routes: []\n" : this.#text);
      const list = routesIn(file, locate);
      const places = new Map(routes.map(({ route, index }) => [route.id, index]));
      for (const route of set) putRoute(file, list, places.get(route.id), route);
      const indices = gone.flatMap((id) => places.get(id) ?? []).sort((a, b) => b - a);
      for (const index of indices) list.items.splice(index, 1);
      if (list.items.length === 0) list.flow = true;
      return file.serialize();
    });
    this.#list = readRouteList(this.#path, text);
    if (this.#path === "-") this.#io.out.write(text);
    else if (text !== this.#text) await replaceFile(this.#path, text, this.#before);
    return undefined;
  }

  async renew(ids: readonly string[], ttl: string): Promise<void> {
    const routes = await this.get(ids);
    await this.commit({ set: routes.map(({ expires: _, ...route }) => ({ ...route, ttl })), delete: [] });
  }

  async #routes(): Promise<TableRoute[]> {
    return (await this.#read()).routes.map(({ route, ttl }) =>
      withExpiry({ ...route, ...(ttl !== undefined && { ttl }) }),
    );
  }

  /** A file that is not there has no routes yet. */
  async #read(): Promise<RouteList> {
    if (this.#list === undefined) {
      if (this.#path === "-" || existsSync(this.#path)) this.#before = await readInputBytes(this.#path, this.#io);
      this.#text = decode(this.#before ?? Buffer.alloc(0), this.#path);
      this.#list = readRouteList(this.#path, this.#text);
    }
    return this.#list;
  }
}

function routesIn({ document }: Text, locate: (diagnostics: Diagnostic[]) => Diagnostic[]): YAMLSeq {
  if (!isMap(document.contents)) document.contents = document.createNode({}) as never;
  const list = document.get("routes", true);
  if (list === undefined || (isScalar(list) && list.value === null)) {
    const made = document.createNode([]) as YAMLSeq;
    document.set("routes", made);
    return made;
  }
  if (isSeq(list)) return list;
  throw new ConfigurationError(
    locate([
      { path: ["routes"], message: "this list stands elsewhere in the file, and is not edited here: write it out" },
    ]),
  );
}

/** Writes what differs, so that the rest of an entry stays as people wrote it. */
function putRoute({ document }: Text, list: YAMLSeq, index: number | undefined, wanted: WantedRoute): void {
  const route = withExpiry(wanted);
  const { id, ...entry } = toFileEntry(route);
  const fields: Record<string, unknown> = id === deriveId(route) ? entry : { ...entry, id };
  const node = index === undefined ? undefined : list.items[index];
  if (!isMap(node)) {
    const made = created(document, fields);
    const last = list.items.at(-1);
    if (last === undefined || (isMap(last) && last.flow)) inFlow(made);
    if (last === undefined) list.flow = false;
    if (index === undefined) list.items.push(made);
    else list.items[index] = made;
    return;
  }
  for (const [name, value] of Object.entries(fields)) {
    const pair = pairOf(node, name);
    const fresh = () => {
      const made = created(document, value);
      return node.flow ? inFlow(made) : made;
    };
    if (pair === undefined) node.items.push(document.createPair(name, fresh()));
    else if (!isDeepStrictEqual((pair.value as Node).toJS(document), value)) pair.value = fresh();
  }
  node.items = node.items.filter(({ key }) => {
    const name = isScalar(key) ? String(key.value) : "";
    return name in fields || name === "id";
  });
}

const pairOf = (map: YAMLMap, name: string): Pair | undefined =>
  map.items.find(({ key }) => isScalar(key) && key.value === name);

function inFlow(node: Node): Node {
  if (!isMap(node) && !isSeq(node)) return node;
  node.flow = true;
  for (const item of node.items) inFlow((isMap(node) ? (item as Pair).value : item) as Node);
  return node;
}
