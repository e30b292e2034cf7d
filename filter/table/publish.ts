// Puts the builder into shared data, for all workers of the process to read. Whoever publishes the same configuration at the
// same time writes the very same bytes, so it does not matter who is first.
import { now, setShared } from "../host/calls";
import { Writer, writer } from "../host/writer";
import { maskOf } from "./bucket";
import * as builder from "./builder";
import { writeHeader } from "./header";
import { renewLayout } from "./layouts";
import { bucketName, headerName, name, nameLen } from "./names";
import { bucketsBefore, foundGeneration, finish } from "./slots";

const value = writer();

function set(v: Writer): void {
  setShared(name, nameLen, v.at, v.len, 0);
}

/** Writes the builder into the slot just claimed. False when the slot was lost to a newer table meanwhile. */
export function publish(slot: i32): bool {
  const generation = foundGeneration;
  const before = bucketsBefore;
  const buckets = builder.bucketCount();
  renewLayout(slot + 1, max(buckets, before), now());
  if (buckets) builder.sortIntoBuckets(buckets);
  for (let b = 0; b < buckets; b++) {
    value.clear().u32(generation).u32(maskOf(b, buckets));
    builder.writeBucket(value, b);
    bucketName(slot, b);
    set(value);
  }
  value.clear();
  for (let b: u32 = buckets; b < before; b++) {
    bucketName(slot, b);
    set(value);
  }
  writeHeader(value, generation, buckets);
  headerName(slot);
  set(value);
  return finish(slot, generation, buckets);
}
