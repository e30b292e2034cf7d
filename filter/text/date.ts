// RFC 3339 dates, as seconds since 1970.
import { CASE_BIT, DOT, LOWER_Z, MINUS, PLUS, ZERO } from "./ascii";
import { lower } from "./bytes";

const SHAPE: Bytes = "0000-00-00t00:00:00";
const NO_ZONE = i32.MAX_VALUE;

/** Whether digits stand where `shape` has zeros, and elsewhere what it has. */
function hasShape(at: usize, shape: Bytes): bool {
  for (let i = 0; i < shape.len; i++) {
    const c: u32 = load<u8>(at + i);
    const wanted: u32 = load<u8>(shape.start + i);
    if (wanted == ZERO ? c - ZERO > 9 : lower(c) != wanted) return false;
  }
  return true;
}

function twoDigits(at: usize): i32 {
  return (<i32>load<u8>(at) - ZERO) * 10 + <i32>load<u8>(at, 1) - ZERO;
}

function daysIn(month: i32, year: i32): i32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// Days since 1970-01-01 in the proleptic Gregorian calendar, counting years from March.
function days(year: i32, month: i32, day: i32): i64 {
  const y: i64 = month > 2 ? year : year - 1;
  const m: i64 = (month + 9) % 12;
  return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 719469;
}

/** Seconds since 1970 (fractions cut off), or -1 for what is not an RFC 3339 date from 1970 on. */
export function parseDate(at: usize, len: i32): i64 {
  if (len <= SHAPE.len || !hasShape(at, SHAPE)) return -1;
  const year = twoDigits(at) * 100 + twoDigits(at + 2);
  const month = twoDigits(at + 5);
  const day = twoDigits(at + 8);
  const hour = twoDigits(at + 11);
  const minute = twoDigits(at + 14);
  const second = twoDigits(at + 17);
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > daysIn(month, year)) return -1;
  if (hour > 23 || minute > 59 || second > 60) return -1;

  let i = SHAPE.len;
  if (load<u8>(at + i) == DOT) {
    const first = ++i;
    while (i < len && <u32>load<u8>(at + i) - ZERO < 10) i++;
    if (i == first || i == len) return -1;
  }
  const offset = zone(at + i, len - i);
  if (offset == NO_ZONE) return -1;
  return days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
}

// Seconds east of UTC.
function zone(at: usize, len: i32): i32 {
  const sign = load<u8>(at);
  if ((sign | CASE_BIT) == LOWER_Z) return len == 1 ? 0 : NO_ZONE;
  if ((sign != PLUS && sign != MINUS) || len != 6 || !hasShape(at + 1, "00:00")) return NO_ZONE;
  const hours = twoDigits(at + 1);
  const minutes = twoDigits(at + 4);
  if (hours > 23 || minutes > 59) return NO_ZONE;
  const seconds = hours * 3600 + minutes * 60;
  return sign == MINUS ? -seconds : seconds;
}
