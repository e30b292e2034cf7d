const SECONDS = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 };
const DURATION = /^(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?$/;

/** The seconds of `3d12h`, `90m` or `2h`; undefined for what is no duration, and for none at all. */
export function parseDuration(text: string): number | undefined {
  const [, ...numbers] = DURATION.exec(text) ?? [];
  const seconds = Object.values(SECONDS).reduce((sum, unit, at) => sum + unit * Number(numbers[at] ?? 0), 0);
  return seconds > 0 ? seconds : undefined;
}
