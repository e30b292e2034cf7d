// The shares of a `split` route; head.ts shows their layout.
import { writer } from "../host/writer";
import { WHOLE } from "../table/head";
import { complain, inField, inSubList } from "./complaint";
import { broken, isField, matched, readText, required, unknownField } from "./fields";
import * as json from "./json";
import { MAX_CLUSTER } from "./limits";

const MOST = 100;

export let shareCount = 0;
export const shares = writer();

const TO: u32 = 1;
const WEIGHT: u32 = 2;

let total: i64 = 0;

export function readSplit(): void {
  shareCount = 0;
  total = 0;
  shares.clear();
  inSubList("split", -1);
  if (!json.accept(91)) return complain("expected a list of shares");
  for (; json.nextItem(shareCount == 0); shareCount++) {
    inSubList("split", shareCount);
    if (shareCount == MOST) complain("more than 100 shares");
    else readShare();
    if (broken()) return;
  }
  inSubList("split", -1);
  if (json.problem != null) return;
  if (shareCount == 0) complain("at least one share is needed");
  else if (total > WHOLE) complain("shares of more than 100 percent together");
}

const to = writer();

function readShare(): void {
  if (!json.accept(123)) {
    if (json.problem == null) complain("expected an object");
    return;
  }
  let seen: u32 = 0;
  let weight: i64 = 0;
  for (let first = true; json.nextField(first); first = false) {
    inField(null);
    if (isField("to", TO, seen)) {
      if (readText("to", MAX_CLUSTER)) to.clear().bytes(json.text, json.textLen);
    } else if (isField("weight", WEIGHT, seen)) weight = readWeight();
    else unknownField();
    if (broken()) return;
    seen |= matched;
  }
  inField(null);
  if (json.problem != null) return;
  if (!(seen & TO)) return required("to");
  if (!(seen & WEIGHT)) return required("weight");
  total += weight;
  shares.u32(<u32>weight).u16(to.len).bytes(to.at, to.len);
}

function readWeight(): i64 {
  inField("weight");
  const weight = json.readDecimal();
  if (json.problem == null && (weight < 0 || weight > WHOLE)) complain("expected a percentage from 0 to 100");
  return weight;
}
