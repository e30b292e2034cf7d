// How a route table travels from a route server to proxies and lies in them, said once for both languages. This file compiles under
// asc and tsc alike: unannotated `export const` integers and ASCII strings, and nothing else. All numbers are little endian.
//
// A hash of this feed has 64 bits, in two lanes a and b of 32. For bytes, padded with zeros to whole words of 32 bits:
//   a = SEED_A, b = SEED_B; for each word w: a = (a ^ w) * PRIME_A, a ^= a >>> 15; b = (b ^ w) * PRIME_B, b ^= b >>> 13
//   a = finish(a ^ length), b = finish(b ^ length), where length counts the bytes before padding; then a += b, b += a; a is its low half, b its high one
//   finish(h): h ^= h >>> 16, h *= FINISH_A, h ^= h >>> 13, h *= FINISH_B, h ^= h >>> 16
// The hash of a bucket is that of its mask and its entries. mix(index, hash) is the hash of the 12 bytes u32 index, u64 hash. The digest of
// a table is the sum, modulo 2^64, of mix(index, hash) over its buckets and of mix(RULES_INDEX, hash of its rules section).
//
// A page: the fields below, the rules section (u32 `when` rules, u32 split rules, the rules in that order; on a last page alone, and nothing where they
// have not changed since the revision asked with),
// then records in ascending order of their index until the end: u32 index, u32 length, u64 hash of the bucket, length bytes (u32 mask and the
// entries). A record of length 0 says that the bucket is no more; a bucket without entries has length 4.

/**
 * The number of everything that the module keeps in shared data and takes from pages: of the byte layouts of entries, rules, buckets and table
 * headers, and of what its parser makes of a configuration's text. Whoever changes one of them adds one; it has two digits.
 */
export const LAYOUT = 4;

/** Key routes to a bucket, at most on average: more cost time at every look-up, fewer cost memory for the buckets' names. */
export const PER_BUCKET = 24;

export const PAGE_MAGIC = 0x3154574b; // "KWT1"
export const PAGE_AT_LAYOUT = 4; // u16
export const PAGE_AT_KIND = 6; // u8
export const PAGE_AT_FLAGS = 7; // u8
export const PAGE_AT_HISTORY = 8; // u64
export const PAGE_AT_FROM = 16; // u64, the revision asked with
export const PAGE_AT_REVISION = 24; // u64, the server's when it made this page
export const PAGE_AT_DIGEST = 32; // u64, of the whole table at that revision
export const PAGE_AT_BUCKETS = 40; // u32
export const PAGE_AT_ROUTES = 44; // u32, of all kinds
export const PAGE_AT_NEXT = 48; // u32, the index to go on with; 0 on the last page
export const PAGE_AT_RULES = 52; // u32, bytes of the rules section
export const PAGE_AT_HASH = 56; // u64, of the bytes before it, of u32 bytes of all records, and of the rules section
export const PAGE_FIXED = 64;

export const KIND_PAGE = 0;
export const KIND_RESET = 1;
export const FLAG_LAST = 1;

export const RECORD_FIXED = 16;

export const PAGE_BYTES = 131072; // of records, at most in the only page of a sweep, unless one record alone has more
export const PART_BYTES = 32768; // the same in each page of a sweep of several
export const MAX_ANSWER = 1048576; // bytes of an answer, at most

export const SEED_A = 0x243f6a88;
export const SEED_B = 0x05a308d3;
export const PRIME_A = 0x1e3779b1;
export const PRIME_B = 0x45ebca77;
export const FINISH_A = 0x05ebca6b;
export const FINISH_B = 0x42b2ae35;
export const RULES_INDEX = -1; // 0xffffffff as i32

export const TABLE_PATH = "/v1/table";
export const WAIT_SECONDS = 20; // that a server holds a question with nothing new
