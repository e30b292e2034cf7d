// What a table says of itself, in one shared value that every worker keeps a copy of:
//   u32 generation, u32 buckets, u32 routes, u8 flags, u8 sources, u8 hierarchy (the character, or 0), u8 unused,
//   u32 rules with conditions, u32 rules with shares alone, the sources, the rules in that order; see rule.ts
import { Writer } from "../host/writer";
import * as builder from "./builder";
import { afterSource } from "../sources/source";

const FIXED: usize = 24;

const EXPLAINS: u32 = 1;
const ROUTE_ADDS_MARK: u32 = 2;

export function writeHeader(to: Writer, generation: u32, buckets: i32): void {
  to.u32(generation).u32(buckets).u32(builder.routeCount());
  to.u8((builder.explain ? EXPLAINS : 0) | (builder.routeAddsMark ? ROUTE_ADDS_MARK : 0))
    .u8(builder.sourceCount())
    .u8(builder.hierarchy)
    .u8(0)
    .u32(builder.whenRoutes)
    .u32(builder.splitRoutes);
  to.bytes(builder.sources.at, builder.sources.len);
  to.bytes(builder.whens.at, builder.whens.len);
  to.bytes(builder.splits.at, builder.splits.len);
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

export function firstRule(header: usize): usize {
  let at = firstSource(header);
  for (let i = 0; i < sourceCount(header); i++) at = afterSource(at);
  return at;
}
