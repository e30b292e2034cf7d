// RFC 3339 dates, as seconds since 1970.

const LEAST = 20;

function number(at: usize, digits: i32): i32 {
  let v = 0;
  for (let i = 0; i < digits; i++) {
    const d = <u32>load<u8>(at + i) - 48;
    if (d > 9) return -1;
    v = v * 10 + <i32>d;
  }
  return v;
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
  if (len < LEAST) return -1;
  const year = number(at, 4);
  const month = number(at + 5, 2);
  const day = number(at + 8, 2);
  const hour = number(at + 11, 2);
  const minute = number(at + 14, 2);
  const second = number(at + 17, 2);
  if (load<u8>(at + 4) != 45 || load<u8>(at + 7) != 45 || (load<u8>(at + 10) | 32) != 116) return -1;
  if (load<u8>(at + 13) != 58 || load<u8>(at + 16) != 58) return -1;
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > daysIn(month, year)) return -1;
  if (<u32>hour > 23 || <u32>minute > 59 || <u32>second > 60) return -1;

  let i = 19;
  if (load<u8>(at + i) == 46) {
    const first = ++i;
    while (i < len && <u32>load<u8>(at + i) - 48 < 10) i++;
    if (i == first || i == len) return -1;
  }
  const offset = zone(at + i, len - i);
  if (offset == NO_ZONE) return -1;
  return days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
}

const NO_ZONE = i32.MAX_VALUE;

// Seconds east of UTC.
function zone(at: usize, len: i32): i32 {
  const sign = load<u8>(at);
  if ((sign | 32) == 122) return len == 1 ? 0 : NO_ZONE;
  if ((sign != 43 && sign != 45) || len != 6 || load<u8>(at + 3) != 58) return NO_ZONE;
  const hours = number(at + 1, 2);
  const minutes = number(at + 4, 2);
  if (<u32>hours > 23 || <u32>minutes > 59) return NO_ZONE;
  const seconds = hours * 3600 + minutes * 60;
  return sign == 45 ? -seconds : seconds;
}
