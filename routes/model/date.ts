const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** Seconds since 1970 (fractions cut off), or undefined for what is not an RFC 3339 date from 1970 on. */
export function parseDate(text: string): number | undefined {
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [, day = "", minute = "", second = "", sign, offsetHours = "0", offsetMinutes = "0"] = match;
  const midnight = Date.parse(`${day}T${minute}:00Z`) / 1000;
  if (!(midnight >= 0) || !new Date(midnight * 1000).toISOString().startsWith(`${day}T${minute}`)) return undefined;
  if (Number(second) > 60 || Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return undefined;
  const offset = Number(offsetHours) * 3600 + Number(offsetMinutes) * 60;
  return midnight + Number(second) - (sign === "-" ? -offset : offset);
}

/** Seconds since 1970 as RFC 3339 in UTC; undefined where the year would have more than four digits. */
export function formatDate(seconds: number): string | undefined {
  const milliseconds = seconds * 1000;
  return milliseconds < LAST ? `${new Date(milliseconds).toISOString().slice(0, 19)}Z` : undefined;
}

const LAST = Date.UTC(10_000, 0);
