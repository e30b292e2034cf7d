// The mark of a target that does not exist or has no healthy host, which the watch module sets and the filter reads and
// takes away. One shared value per target:
//   u64 when to ask next whether it is back, in nanoseconds since 1970; 0 when it is not missing
import { got, gotCas, gotLen, setShared, shared } from "../host/calls";
import { missingName, name, nameLen } from "../table/names";

const value = memory.data(8);

/** When to ask next; 0 when the target is not missing. */
export function askAt(target: usize, len: i32): u64 {
  missingName(target, len);
  return shared(name, nameLen) && gotLen == 8 ? load<u64>(got) : 0;
}

/** Changes the mark that `askAt` read last; false when another worker did so first. */
export function changeMark(at: u64): bool {
  store<u64>(value, at);
  return setShared(name, nameLen, value, 8, gotCas);
}
