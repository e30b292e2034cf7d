// A rule is a route without a key, as the table header holds it:
//   u32 size, u8 flags, u8 shares, u16 unused, u64 hash of `from`, i64 expiry in seconds or 0, conditions, and then
//   without shares: u16 target length, the target
//   with shares: the sticky source or NONE, and for each share u32 weight in 1/10,000 percent, u16 target length, the target
// Conditions, of a rule or of a key route:
//   u32 length of what follows, and for each condition u8 comparison, source, u16 text length, the text
// The comparison has NOT added where the condition is turned round.
import { RULE_FAILS } from "../../routes/model/layout";
import { Writer } from "../host/writer";

export { ABSENT, CONTAINS, EXACT, NOT, PREFIX, PRESENT, SUFFIX } from "../../routes/model/layout";

/** A whole, in the unit of a share's weight. */
export const WHOLE = 1000000;

export const RULE_FIXED: usize = 24;
const CONDITIONS_FIXED: usize = 4;

/** Starts a rule, whose size `endRule` fills in. */
export function beginRule(to: Writer, shares: i32, fails: bool, from: u64, expires: i64): void {
  to.clear()
    .u32(0)
    .u8(fails ? RULE_FAILS : 0)
    .u8(shares)
    .u16(0)
    .u64(from)
    .u64(expires);
}

export function endRule(to: Writer): void {
  store<u32>(to.at, to.len);
}

export function nextRule(rule: usize): usize {
  return rule + load<u32>(rule);
}

/** Whether a request is refused where the target is missing. */
export function ruleFails(rule: usize): bool {
  return (load<u8>(rule, 4) & RULE_FAILS) != 0;
}

export function shareCount(rule: usize): i32 {
  return load<u8>(rule, 5);
}

export function ruleFrom(rule: usize): u64 {
  return load<u64>(rule, 8);
}

export function ruleExpires(rule: usize): i64 {
  return load<i64>(rule, 16);
}

export function ruleConditions(rule: usize): usize {
  return rule + RULE_FIXED;
}

/** The target's length and the target, or the sticky source and the shares. */
export function ruleTarget(rule: usize): usize {
  return afterConditions(rule + RULE_FIXED);
}

export function writeConditions(to: Writer, conditions: Writer): void {
  to.u32(conditions.len).bytes(conditions.at, conditions.len);
}

export function firstCondition(conditions: usize): usize {
  return conditions + CONDITIONS_FIXED;
}

export function afterConditions(conditions: usize): usize {
  return conditions + CONDITIONS_FIXED + load<u32>(conditions);
}
