// The shares of a `split`; table/rule.ts shows their layout.
import { MAX_CLUSTER, MAX_SPLIT } from "../../routes/model/names";
import { writer } from "../host/writer";
import { WHOLE } from "../table/rule";
import { report, reportMoreThan, inField, inSubList } from "./diagnostic";
import { broken, isNamed, noteField, openList, openObject, readCluster, required } from "./fields";
import * as json from "./json";

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
  if (!openList("expected a list of shares")) return;
  for (; json.nextItem(shareCount == 0); shareCount++) {
    inSubList("split", shareCount);
    if (shareCount == MAX_SPLIT) reportMoreThan(MAX_SPLIT, "shares");
    else readShare();
    if (broken()) return;
  }
  inSubList("split", -1);
  if (json.problem != null) return;
  if (shareCount == 0) report("at least one share is needed");
  else if (total > WHOLE) report("shares of more than 100 percent together");
}

const to = writer();

function shareField(): u32 {
  if (isNamed("to")) return TO;
  return isNamed("weight") ? WEIGHT : 0;
}

function readShare(): void {
  if (!openObject()) return;
  let seen: u32 = 0;
  let weight: i64 = 0;
  for (let first = true; json.nextField(first); first = false) {
    const field = shareField();
    seen = noteField(seen, field);
    if (broken()) return;
    if (field == WEIGHT) weight = readWeight();
    else if (readCluster("to", MAX_CLUSTER)) to.clear().bytes(json.text, json.textLen);
    if (broken()) return;
  }
  inField(null);
  if (json.problem != null) return;
  if (!(seen & TO)) return required("to");
  if (!(seen & WEIGHT)) return required("weight");
  total += weight;
  shares
    .u32(<u32>weight)
    .u16(to.len)
    .bytes(to.at, to.len);
}

function readWeight(): i64 {
  inField("weight");
  const weight = json.readDecimal();
  if (json.problem == null && (weight < 0 || weight > WHOLE)) report("expected a percentage from 0 to 100");
  return weight;
}
