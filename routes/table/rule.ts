// A route without a key as bytes; filter/table/rule.ts shows the layout.
import * as layout from "../model/layout.ts";
import type { SplitRoute, WhenRoute } from "../model/model.ts";
import { sourcesOf } from "../model/sources.ts";
import { fromNumber, type U64 } from "../model/u64.ts";
import { toUnits } from "../model/weight.ts";
import { writeConditions, writeNoSource, writeSource } from "./conditions.ts";
import { expiryOf } from "./entry.ts";
import { ByteWriter } from "./writer.ts";

const target = new ByteWriter();

function writeTarget(to: ByteWriter, name: string): void {
  target.clear().text(name);
  to.u16(target.length).raw(target.bytes, 0, target.length);
}

/** Adds a rule; `from` is the hash of the route's. */
export function writeRule(to: ByteWriter, route: WhenRoute | SplitRoute, from: U64): void {
  const start = to.length;
  const shares = "split" in route ? route.split : [];
  to.u32(0)
    .u8(route.missing === "fail" ? layout.RULE_FAILS : 0)
    .u8(shares.length)
    .u16(0)
    .u64(from)
    .u64(fromNumber(expiryOf(route)));
  writeConditions(to, route.when ?? []);
  if ("split" in route) {
    const [sticky] = route.sticky === undefined ? [] : sourcesOf(route.sticky);
    if (sticky) writeSource(to, sticky);
    else writeNoSource(to);
    for (const share of shares) writeTarget(to.u32(toUnits(share.weight)), share.to);
  } else writeTarget(to, route.to);
  to.setU32(start, to.length - start);
}
