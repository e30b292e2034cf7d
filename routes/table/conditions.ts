// The bytes of sources and conditions; filter/sources/source.ts and filter/table/rule.ts show their layout.
import * as layout from "../model/layout.ts";
import type { Condition, RequestPart } from "../model/model.ts";
import type { Kind, Source } from "../model/sources.ts";
import { ByteWriter } from "./writer.ts";

/** The number of a kind, and the header that it reads where its name is not the header's; `trace` stands in no route. */
const KINDS: Record<Kind, [kind: number, header?: string]> = {
  header: [layout.HEADER],
  overrides: [layout.OVERRIDES],
  baggage: [layout.BAGGAGE, "baggage"],
  tracestate: [layout.TRACESTATE, "tracestate"],
  cookie: [layout.COOKIE, "cookie"],
  query: [layout.QUERY, ":path"],
  host: [layout.HOST, ":authority"],
  jwt: [layout.JWT, "authorization"],
  trace: [layout.NONE, ""],
};

const PARTS: Record<RequestPart, [kind: number, header: string]> = {
  path: [layout.PATH_PART, ":path"],
  method: [layout.HEADER, ":method"],
  host: [layout.HOST_PART, ":authority"],
  caller: [layout.CALLER, ""],
};

const name = new ByteWriter();

function write(to: ByteWriter, kind: number, header: string, looked: string): void {
  name.clear().text(looked);
  to.u8(kind).u8(header.length).u16(name.length).text(header).raw(name.bytes, 0, name.length);
}

export function writeSource(to: ByteWriter, source: Source): void {
  const [kind, header] = KINDS[source.kind];
  if (header === undefined) write(to, kind, source.name, "");
  else write(to, kind, header, source.name);
}

/** Stands for no source. */
export function writeNoSource(to: ByteWriter): void {
  write(to, layout.NONE, "", "");
}

const text = new ByteWriter();

/** Adds conditions and the length of their bytes. */
export function writeConditions(to: ByteWriter, conditions: readonly Condition[]): void {
  const start = to.u32(0).length;
  for (const condition of conditions) writeCondition(to, condition);
  to.setU32(start - 4, to.length - start);
}

function writeCondition(to: ByteWriter, condition: Condition): void {
  const [comparison, wanted] = comparisonOf(condition);
  to.u8(comparison | (condition.not ? layout.NOT : 0));
  const { header, cookie, query, request } = condition;
  if (header !== undefined) writeSource(to, { kind: "header", name: header.toLowerCase() });
  else if (cookie !== undefined) writeSource(to, { kind: "cookie", name: cookie });
  else if (query !== undefined) writeSource(to, { kind: "query", name: query });
  else write(to, ...PARTS[request as RequestPart], "");
  text.clear().text(wanted);
  to.u16(text.length).raw(text.bytes, 0, text.length);
}

function comparisonOf({ exact, prefix, suffix, contains, present }: Condition): [comparison: number, wanted: string] {
  if (exact !== undefined) return [layout.EXACT, exact];
  if (prefix !== undefined) return [layout.PREFIX, prefix];
  if (suffix !== undefined) return [layout.SUFFIX, suffix];
  if (contains !== undefined) return [layout.CONTAINS, contains];
  return [present ? layout.PRESENT : layout.ABSENT, ""];
}
