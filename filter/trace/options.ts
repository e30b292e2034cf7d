// What the configuration says of traces. It stands among the sources, in the place of a name:
//   u16 seconds, u8 entries of a bucket, u8 direction (the host's number, 0: to be asked), and the headers of ids, in their order, u8 each
import { sourceName, sourceNameLen } from "../sources/source";

const FIXED = 4;

/** How long a trace is remembered, in nanoseconds. */
export function lifetime(options: usize): u64 {
  return <u64>load<u16>(sourceName(options)) * 1000000000;
}

export function bucketSize(options: usize): i32 {
  return load<u8>(sourceName(options), 2);
}

export function directionOf(options: usize): u32 {
  return load<u8>(sourceName(options), 3);
}

export function headerCount(options: usize): i32 {
  return sourceNameLen(options) - FIXED;
}

export function headerAt(options: usize, i: i32): u32 {
  return load<u8>(sourceName(options) + i, FIXED);
}
