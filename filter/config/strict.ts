// Whether a configuration that could not be read asks to be refused: `"strict": true` anywhere in its text counts, since
// what stands behind the first mistake can't be told apart any more.
import { configuration, got, gotLen } from "../host/calls";
import { resetScratch } from "../host/memory";
import { CARRIAGE_RETURN, COLON, LINE_FEED, QUOTE, SPACE, TAB } from "../text/ascii";

const PIECE: u32 = 64 * 1024;

export function asksForStrict(size: u32): bool {
  const name = '"strict"';
  const word = "true";
  let matchedName = 0;
  let colon = false;
  let matchedWord = 0;
  for (let from: u32 = 0; from < size; from += PIECE) {
    resetScratch();
    if (!configuration(from, min(PIECE, size - from)) || gotLen == 0) return false;
    for (let i = 0; i < gotLen; i++) {
      const c: i32 = load<u8>(got + i);
      if (
        matchedName == name.len &&
        (c == SPACE || c == TAB || c == LINE_FEED || c == CARRIAGE_RETURN) &&
        matchedWord == 0
      )
        continue;
      if (matchedName == name.len && !colon && c == COLON) colon = true;
      else if (colon && c == load<u8>(word.start + matchedWord)) {
        if (++matchedWord == word.len) return true;
      } else {
        if (matchedName == name.len) matchedName = 0;
        matchedName = c == load<u8>(name.start + matchedName) ? matchedName + 1 : c == QUOTE ? 1 : 0;
        colon = false;
        matchedWord = 0;
      }
    }
  }
  return false;
}
