/** Where a route leads: its one target, or the targets of its shares. */
export function targetsOf<Target>(
  route: { to: Target; split?: never } | { split: readonly { to: Target }[]; to?: never },
): Target[] {
  return route.split === undefined ? [route.to] : route.split.map(({ to }) => to);
}
