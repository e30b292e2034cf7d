// What a table says of itself, in one shared value that every worker keeps a copy of:
//   u32 generation, u32 buckets, u32 routes, u8 flags, u8 sources, u8 hierarchy (the character, or 0), u8 forms,
//   u32 rules with conditions, u32 rules with shares alone, u32 where the live table's settings begin (0: there is no live table),
//   the sources (`trace`, then those of links, then all others), the forms in which a key leaves, the edge's options (see edge/options.ts)
//   where there are any, the rules in that order (see rule.ts), the settings (see live/settings.ts)
// The header of a live table has no sources, no forms and no settings. Where it serves, a worker puts its numbers and rules in the place of
// those that the configuration has.
import { Writer } from "../host/writer";
import * as builder from "./builder";
import { TRACE, afterSource, sourceKind } from "../sources/source";

const FIXED: usize = 28;
const NUMBERS: i32 = 12;
const RULE_NUMBERS: usize = 16;
const SETTINGS: usize = 24;

/** Of a page's rules section: the two numbers of rules. */
export const RULES_FIXED = 8;

const EXPLAINS: u32 = 1;
const ROUTE_ADDS_MARK: u32 = 2;
const FORMS_FOR_RECOVERED: u32 = 4;
const HAS_EDGE: u32 = 8;

export function writeHeader(to: Writer, generation: u32, buckets: i32): void {
  to.u32(generation).u32(buckets).u32(builder.routeCount());
  to.u8(
    (builder.explain ? EXPLAINS : 0) |
      (builder.routeAddsMark ? ROUTE_ADDS_MARK : 0) |
      (builder.formsForRecovered ? FORMS_FOR_RECOVERED : 0) |
      (builder.edge.len != 0 ? HAS_EDGE : 0),
  )
    .u8(builder.sourceCount(builder.trace) + builder.sourceCount(builder.links) + builder.sourceCount())
    .u8(builder.hierarchy)
    .u8(builder.sourceCount(builder.forms))
    .u32(builder.whenRoutes)
    .u32(builder.splitRoutes)
    .u32(0);
  to.bytes(builder.trace.at, builder.trace.len);
  to.bytes(builder.links.at, builder.links.len);
  to.bytes(builder.sources.at, builder.sources.len);
  to.bytes(builder.forms.at, builder.forms.len);
  to.bytes(builder.edge.at, builder.edge.len);
  to.bytes(builder.whens.at, builder.whens.len);
  to.bytes(builder.splits.at, builder.splits.len);
  if (builder.settings.len == 0) return;
  store<u32>(to.at, to.len, SETTINGS);
  to.bytes(builder.settings.at, builder.settings.len);
}

/** Writes the header of a live table; `rules` is what a page has as its rules section. */
export function writeLiveHeader(to: Writer, generation: u32, buckets: u32, routes: u32, rules: usize, len: i32): void {
  to.u32(generation).u32(buckets).u32(routes).u32(0).bytes(rules, RULES_FIXED).u32(0);
  to.bytes(rules + RULES_FIXED, len - RULES_FIXED);
}

/** Puts a live table's header into what the configuration says otherwise. */
export function composeHeader(to: Writer, own: usize, live: usize, liveLen: i32): void {
  const sources = firstSource(own);
  to.clear().bytes(live, NUMBERS);
  to.bytes(own + NUMBERS, 4)
    .bytes(live + RULE_NUMBERS, RULES_FIXED)
    .u32(0);
  to.bytes(sources, <i32>(firstRule(own) - sources));
  to.bytes(live + FIXED, liveLen - <i32>FIXED);
}

/** Puts other numbers into a header. */
export function setNumbers(header: usize, buckets: u32, routes: u32): void {
  store<u32>(header, buckets, 4);
  store<u32>(header, routes, 8);
}

/** Where the settings of the live table stand; 0 where the configuration has none. */
export function settingsOf(header: usize): usize {
  const at = load<u32>(header, SETTINGS);
  return at ? header + at : 0;
}

// @ts-ignore: decorator
@inline
export function generation(header: usize): u32 {
  return load<u32>(header);
}

// @ts-ignore: decorator
@inline
export function buckets(header: usize): u32 {
  return load<u32>(header, 4);
}

export function routes(header: usize): u32 {
  return load<u32>(header, 8);
}

// @ts-ignore: decorator
@inline
export function explains(header: usize): bool {
  return (load<u8>(header, 12) & EXPLAINS) != 0;
}

/** Whether Envoy's own route adds the hop mark to a routed request, so that the filter need not. */
export function routeAddsMark(header: usize): bool {
  return (load<u8>(header, 12) & ROUTE_ADDS_MARK) != 0;
}

// @ts-ignore: decorator
@inline
export function sourceCount(header: usize): i32 {
  return load<u8>(header, 13);
}

/** The character between the parts of a key; 0 where keys have no parts. */
// @ts-ignore: decorator
@inline
export function hierarchy(header: usize): u32 {
  return load<u8>(header, 14);
}

// @ts-ignore: decorator
@inline
export function whenCount(header: usize): u32 {
  return load<u32>(header, 16);
}

// @ts-ignore: decorator
@inline
export function splitCount(header: usize): u32 {
  return load<u32>(header, 20);
}

// @ts-ignore: decorator
@inline
export function firstSource(header: usize): usize {
  return header + FIXED;
}

/** In how many forms a key leaves; 0 where it leaves as it came. */
// @ts-ignore: decorator
@inline
export function formCount(header: usize): i32 {
  return load<u8>(header, 15);
}

/** Whether only a key that its trace came in with leaves in the forms. */
export function formsForRecovered(header: usize): bool {
  return (load<u8>(header, 12) & FORMS_FOR_RECOVERED) != 0;
}

export function firstForm(header: usize): usize {
  return afterSources(firstSource(header), sourceCount(header));
}

/** Whether the configuration says which keys are taken from outside. */
// @ts-ignore: decorator
@inline
export function hasEdge(header: usize): bool {
  return (load<u8>(header, 12) & HAS_EDGE) != 0;
}

/** Where the options of the edge stand; there are some where `hasEdge` says so. */
export function edgeOf(header: usize): usize {
  return afterSources(firstSource(header), sourceCount(header) + formCount(header));
}

export function firstRule(header: usize): usize {
  const edge = edgeOf(header);
  return hasEdge(header) ? afterSource(edge) : edge;
}

/** The source `trace`; 0 where the configuration has none. */
// @ts-ignore: decorator
@inline
export function traceOf(header: usize): usize {
  const first = firstSource(header);
  return sourceCount(header) != 0 && sourceKind(first) == TRACE ? first : 0;
}

function afterSources(at: usize, count: i32): usize {
  for (; count > 0; count--) at = afterSource(at);
  return at;
}
