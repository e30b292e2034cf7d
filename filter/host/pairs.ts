// Header pairs as the host takes them: u32 count, the lengths of all names and values, then these, each with a NUL behind it.
import { Writer, writer } from "./writer";

const lengths = writer();
const texts = writer();
const pairs = writer();
let count = 0;

export function beginPairs(): void {
  lengths.clear();
  texts.clear();
  count = 0;
}

export function addPair(name: Bytes, value: usize, len: i32): void {
  lengths.u32(name.len).u32(len);
  texts.say(name).u8(0).bytes(value, len).u8(0);
  count++;
}

/** All that were added, until the next ones begin. */
export function allPairs(): Writer {
  return pairs.clear().u32(count).bytes(lengths.at, lengths.len).bytes(texts.at, texts.len);
}
