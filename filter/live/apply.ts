// Writes the page last read into the table's slot. Readers may be at it all the while, so the order matters: a bucket is split only when
// the one that takes its keys is there, and emptied only when the one that takes its keys has them. What can't be written in that order
// now is passed over; it comes again when the sweep is asked for again.
import { got, gotCas, gotLen, monotonic, now, shared, swapShared } from "../host/calls";
import { writer } from "../host/writer";
import { isBucket, parentOf } from "../table/bucket";
import { writeLiveHeader } from "../table/header";
import { renewLayout } from "../table/layouts";
import { bucketName, headerName, name, nameLen } from "../table/names";
import { reserveBuckets } from "../table/slots";
import { digestOf, mix } from "./digest";
import {
  firstRecord,
  index,
  nextRecord,
  pageBuckets,
  pageRoutes,
  recordAt,
  recordHash,
  recordLen,
  rules,
} from "./page";
import { LiveTable } from "./tables";

/** A slot says in steps of so many buckets that it may have more. */
const STEP: u32 = 256;

const value = writer();

/** Writes the page's buckets; false when the slot or the lease is lost, or shared data can't be written. */
export function writeBuckets(table: LiveTable): bool {
  const buckets = pageBuckets();
  if (buckets > table.reserved) {
    table.reserved = (buckets + STEP - 1) & ~(STEP - 1);
    renewLayout(table.slot + 1, table.reserved, now());
    if (!reserveBuckets(table.slot, table.generation, table.reserved)) return false;
  }
  if (table.fresh || buckets <= table.buckets) return writeRecords(table, 0, <u32>-1);
  return writeRecords(table, table.buckets, <u32>-1) && writeRecords(table, 0, table.buckets);
}

function writeRecords(table: LiveTable, least: u32, below: u32): bool {
  for (firstRecord(); nextRecord();) if (index >= least && index < below && !writeRecord(table)) return false;
  return true;
}

function writeRecord(table: LiveTable): bool {
  bucketName(table.slot, index);
  const stands = shared(name, nameLen) && isBucket(table.generation);
  const cas = gotCas;
  let change: u64 = 0;
  if (stands) change -= mix(index, digestOf(got + 4, gotLen - 4));
  if (recordLen == 0) {
    if (!stands) return true;
    if (!table.fresh && !isCovered(table)) return passOver(table);
    value.clear();
  } else {
    if (stands && !table.fresh && !mayNarrow(table, load<u32>(got, 4), load<u32>(recordAt))) return passOver(table);
    value.clear().u32(table.generation).bytes(recordAt, recordLen);
    change += mix(index, recordHash);
  }
  bucketName(table.slot, index);
  // After a pause in which another worker took over, either the lease has ended or the bucket has changed since it was read.
  if (monotonic() >= table.leaseEnd || !swapShared(name, nameLen, value.at, value.len, cas)) return false;
  table.digest += change;
  return true;
}

function passOver(table: LiveTable): bool {
  table.passedOver = true;
  return true;
}

// Whether the keys of the bucket `index` are in the one that it was split off from, or there are none at all.
function isCovered(table: LiveTable): bool {
  if (pageBuckets() == 0) return true;
  for (let bucket = index; bucket != 0;) {
    bucket = parentOf(bucket);
    if (readBucket(table, bucket)) return (index & load<u32>(got, 4)) == bucket;
  }
  return false;
}

// Whether the buckets are there that take what the bucket `index` loses under another mask.
function mayNarrow(table: LiveTable, mask: u32, wanted: u32): bool {
  for (let bit = mask + 1; bit != 0 && bit <= wanted; bit <<= 1) if (!readBucket(table, index | bit)) return false;
  return true;
}

function readBucket(table: LiveTable, bucket: u32): bool {
  bucketName(table.slot, bucket);
  return shared(name, nameLen) && isBucket(table.generation);
}

/** Writes the header of the table, with the page's rules. */
export function writeHeader(table: LiveTable): bool {
  headerName(table.slot);
  const cas = shared(name, nameLen) ? gotCas : 0;
  value.clear();
  writeLiveHeader(value, table.generation, pageBuckets(), pageRoutes(), rules.at, rules.len);
  return monotonic() < table.leaseEnd && swapShared(name, nameLen, value.at, value.len, cas);
}
