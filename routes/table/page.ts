// Pages, as they travel from a route server to proxies; routes/model/feed.ts shows their layout.
import * as feed from "../model/feed.ts";
import { equal, fromNumber, toNumber, type U64 } from "../model/u64.ts";
import { laneHash } from "./digest.ts";
import { ByteWriter, readU32, readU64 } from "./writer.ts";

/** What a page says of the table, and of itself. */
export interface PageHeader {
  isReset: boolean;
  isLast: boolean;
  history: U64;
  /** The revision that was asked with. */
  from: number;
  /** The server's when it made the page. */
  revision: number;
  /** Of the whole table at that revision. */
  digest: U64;
  buckets: number;
  /** Of all kinds. */
  routes: number;
  /** Where to go on; 0 on a last page. */
  next: number;
}

/** A bucket, or that one is no more: then its bytes are absent. */
export interface PageRecord {
  index: number;
  hash: U64;
  bytes?: Uint8Array;
}

export interface Page extends PageHeader {
  /** The rules section; absent on pages that are not the last, and where the rules are what they were. */
  rules?: Uint8Array;
  records: PageRecord[];
}

export function encodePage(page: Page): Uint8Array<ArrayBuffer> {
  const rules = page.rules ?? new Uint8Array();
  const size = page.records.reduce((sum, record) => sum + recordSize(record), feed.PAGE_FIXED + rules.length);
  const to = new ByteWriter(size)
    .u32(feed.PAGE_MAGIC)
    .u16(feed.LAYOUT)
    .u8(page.isReset ? feed.KIND_RESET : feed.KIND_PAGE)
    .u8(page.isLast ? feed.FLAG_LAST : 0)
    .u64(page.history)
    .u64(fromNumber(page.from))
    .u64(fromNumber(page.revision))
    .u64(page.digest)
    .u32(page.buckets)
    .u32(page.routes)
    .u32(page.next)
    .u32(rules.length);
  to.u64(pageHash(to.bytes, size - feed.PAGE_FIXED - rules.length, rules)).raw(rules);
  for (const { index, hash, bytes = new Uint8Array() } of page.records) {
    to.u32(index).u32(bytes.length).u64(hash).raw(bytes);
  }
  return to.bytes;
}

/** The hash that a page with so many bytes of records says. */
export function pageHash(page: Uint8Array, records: number, rules: Uint8Array): U64 {
  return laneHash(page.subarray(0, feed.PAGE_AT_HASH), new ByteWriter(4).u32(records).bytes, rules);
}

/** The bytes that a record takes in a page. */
export function recordSize({ bytes }: { bytes?: Uint8Array }): number {
  return feed.RECORD_FIXED + (bytes?.length ?? 0);
}

/** An Error's message says what is wrong with the bytes. */
export function decodePage(bytes: Uint8Array): Page | Error {
  if (bytes.length < feed.PAGE_FIXED) return new Error(`${bytes.length} bytes are no page`);
  if (readU32(bytes, 0) !== feed.PAGE_MAGIC) return new Error("not a page of a route table");
  const layout = readU32(bytes, feed.PAGE_AT_LAYOUT) & 0xffff;
  if (layout !== feed.LAYOUT) return new Error(`layout ${layout}, not ${feed.LAYOUT}`);
  const start = feed.PAGE_FIXED + readU32(bytes, feed.PAGE_AT_RULES);
  if (start > bytes.length) return new Error("the rules are cut off");
  const rules = bytes.subarray(feed.PAGE_FIXED, start);
  if (!equal(pageHash(bytes, bytes.length - start, rules), readU64(bytes, feed.PAGE_AT_HASH)))
    return new Error("the header, the size and the rules do not have the hash that the page says");
  const records = decodeRecords(bytes, start);
  if (records instanceof Error) return records;
  return {
    isReset: bytes[feed.PAGE_AT_KIND] === feed.KIND_RESET,
    isLast: ((bytes[feed.PAGE_AT_FLAGS] as number) & feed.FLAG_LAST) !== 0,
    history: readU64(bytes, feed.PAGE_AT_HISTORY),
    from: toNumber(readU64(bytes, feed.PAGE_AT_FROM)),
    revision: toNumber(readU64(bytes, feed.PAGE_AT_REVISION)),
    digest: readU64(bytes, feed.PAGE_AT_DIGEST),
    buckets: readU32(bytes, feed.PAGE_AT_BUCKETS),
    routes: readU32(bytes, feed.PAGE_AT_ROUTES),
    next: readU32(bytes, feed.PAGE_AT_NEXT),
    ...(rules.length > 0 && { rules }),
    records,
  };
}

function decodeRecords(bytes: Uint8Array, start: number): PageRecord[] | Error {
  const records: PageRecord[] = [];
  for (let at = start; at < bytes.length; ) {
    const content = at + feed.RECORD_FIXED;
    const end = content <= bytes.length ? content + readU32(bytes, at + 4) : content;
    if (end > bytes.length) return new Error("a record is cut off");
    const [index, hash] = [readU32(bytes, at), readU64(bytes, at + 8)];
    if (end === content) records.push({ index, hash });
    else {
      const own = bytes.subarray(content, end);
      if (!equal(laneHash(own), hash)) return new Error(`bucket ${index} does not have the hash that its record says`);
      records.push({ index, hash, bytes: own });
    }
    at = end;
  }
  return records;
}
