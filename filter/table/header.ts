// What a table says of itself, in one shared value that every worker keeps a copy of:
//   u32 generation, u32 buckets, u32 routes, u8 flags, u8 sources, u16 unused, u32 when rules, u32 split rules,
//   the sources, the when rules, the split rules
// A rule:
//   u32 size, u32 parts, u64 hash of `from`, i64 expiry in seconds or 0, then
//   of a when: u16 target length, the target, and per part a condition: u8 test, source, u16 text length, text
//   of a split: the sticky source or NONE, and per part a share: u32 weight in 1/10,000 percent, u16 target length, target
import { Writer } from "../host/writer";
import * as builder from "./builder";
import { afterSource } from "../sources/source";

const FIXED: usize = 24;

const EXPLAINS: u32 = 1;
const ROUTE_ADDS_MARK: u32 = 2;

export const EXACT = 0;
export const PREFIX = 1;
export const SUFFIX = 2;
export const CONTAINS = 3;
export const PRESENT = 4;
export const ABSENT = 5;

/** A whole, in the unit of a share's weight. */
export const WHOLE = 1000000;

export const RULE_FIXED: usize = 24;

export function writeHeader(to: Writer, generation: u32, buckets: i32): void {
  to.u32(generation).u32(buckets).u32(builder.routeCount());
  to.u8((builder.explain ? EXPLAINS : 0) | (builder.routeAddsMark ? ROUTE_ADDS_MARK : 0))
    .u8(builder.sourceCount())
    .u16(0)
    .u32(builder.whenRoutes)
    .u32(builder.splitRoutes);
  to.bytes(builder.sources.at, builder.sources.len);
  to.bytes(builder.whens.at, builder.whens.len);
  to.bytes(builder.splits.at, builder.splits.len);
}

// @ts-ignore: decorator
@inline
export function generation(head: usize): u32 {
  return load<u32>(head);
}

// @ts-ignore: decorator
@inline
export function buckets(head: usize): u32 {
  return load<u32>(head, 4);
}

export function routes(head: usize): u32 {
  return load<u32>(head, 8);
}

// @ts-ignore: decorator
@inline
export function explains(head: usize): bool {
  return (load<u8>(head, 12) & EXPLAINS) != 0;
}

/** Whether Envoy's own route adds the hop mark to a routed request, so that the filter need not. */
export function routeAddsMark(head: usize): bool {
  return (load<u8>(head, 12) & ROUTE_ADDS_MARK) != 0;
}

// @ts-ignore: decorator
@inline
export function sourceCount(head: usize): i32 {
  return load<u8>(head, 13);
}

// @ts-ignore: decorator
@inline
export function whenCount(head: usize): u32 {
  return load<u32>(head, 16);
}

// @ts-ignore: decorator
@inline
export function splitCount(head: usize): u32 {
  return load<u32>(head, 20);
}

// @ts-ignore: decorator
@inline
export function firstSource(head: usize): usize {
  return head + FIXED;
}

export function firstRule(head: usize): usize {
  let at = firstSource(head);
  for (let i = 0; i < sourceCount(head); i++) at = afterSource(at);
  return at;
}

export function nextRule(rule: usize): usize {
  return rule + load<u32>(rule);
}

export function ruleParts(rule: usize): i32 {
  return load<i32>(rule, 4);
}

export function ruleFrom(rule: usize): u64 {
  return load<u64>(rule, 8);
}

export function ruleExpires(rule: usize): i64 {
  return load<i64>(rule, 16);
}

/** Starts a rule, whose size `endRule` fills in. */
export function beginRule(to: Writer, parts: i32, from: u64, expires: i64): void {
  to.clear().u32(0).u32(parts).u64(from).u64(expires);
}

export function endRule(to: Writer): void {
  store<u32>(to.at, to.len);
}
