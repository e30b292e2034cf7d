// Answers of the proxy's own, in JSON. Header pairs as the host takes them: u32 count, the lengths of all names and values, then
// these, each with a NUL behind it.
import { respond } from "./host/calls";
import { Writer, writer } from "./host/writer";

const TYPE = "content-type";
const JSON = "application/json";

const lengths = writer();
const texts = writer();
const pairs = writer();
let count = 0;

export function beginHeaders(): void {
  lengths.clear();
  texts.clear();
  count = 0;
}

export function addHeader(name: Bytes, value: usize, len: i32): void {
  lengths.u32(name.len).u32(len);
  texts.say(name).u8(0).bytes(value, len).u8(0);
  count++;
}

/** Answers with the headers that were added and with the body; false when the host would not. `details` are for access logs. */
export function respondJson(status: u32, body: Writer, details: Bytes): bool {
  addHeader(TYPE, JSON.start, JSON.len);
  pairs.clear().u32(count).bytes(lengths.at, lengths.len).bytes(texts.at, texts.len);
  return respond(status, pairs.at, pairs.len, body.at, body.len, details);
}
