// What a configuration that could not be read asks for all the same. It counts anywhere in the text, since what stands behind the first
// mistake can't be told apart any more.
import { configuration, got, gotLen } from "../host/calls";
import { resetScratch } from "../host/memory";
import { CARRIAGE_RETURN, COLON, LINE_FEED, QUOTE, SPACE, TAB } from "../text/ascii";

const PIECE: u32 = 64 * 1024;

/** Whether it asks to be refused. */
export function asksForStrict(size: u32): bool {
  return says(size, '"strict"', "true");
}

/** Whether it does not want strangers' keys. */
export function asksForGuard(size: u32): bool {
  return says(size, '"edge"', "{") && !says(size, '"accept"', '"any"');
}

// Whether a field of this name, in quotes, has a value that begins like this.
function says(size: u32, name: Bytes, value: Bytes): bool {
  let matchedName = 0;
  let colon = false;
  let matchedValue = 0;
  for (let from: u32 = 0; from < size; from += PIECE) {
    resetScratch();
    if (!configuration(from, min(PIECE, size - from)) || gotLen == 0) return false;
    for (let i = 0; i < gotLen; i++) {
      const c: i32 = load<u8>(got + i);
      if (
        matchedName == name.len &&
        (c == SPACE || c == TAB || c == LINE_FEED || c == CARRIAGE_RETURN) &&
        matchedValue == 0
      )
        continue;
      if (matchedName == name.len && !colon && c == COLON) colon = true;
      else if (colon && c == load<u8>(value.start + matchedValue)) {
        if (++matchedValue == value.len) return true;
      } else {
        if (matchedName == name.len) matchedName = 0;
        matchedName = c == load<u8>(name.start + matchedName) ? matchedName + 1 : c == QUOTE ? 1 : 0;
        colon = false;
        matchedValue = 0;
      }
    }
  }
  return false;
}
