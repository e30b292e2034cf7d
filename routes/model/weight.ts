/** All requests, in the unit in which shares are counted: 1/10,000 percent. */
export const WHOLE = 1_000_000;

/** A percentage in units of 1/10,000 percent; what is finer is cut off. The decimal digits count, not the binary number
 * behind them, so that 0.2, 83.9 and 15.9 make 100. */
export function toUnits(percent: number): number {
  const [whole = "0", fraction = ""] = String(percent < 1e-6 ? 0 : percent).split(".");
  return Number(whole) * 10_000 + Number(fraction.slice(0, 4).padEnd(4, "0"));
}

/** The percentage without what is finer than a unit, so that it is never written with an exponent. */
export function cutOff(percent: number): number {
  return toUnits(percent) / 10_000;
}
