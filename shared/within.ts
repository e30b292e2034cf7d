/** Resolves once the work is done, or after so many milliseconds; without a limit once it is done. Whether it fails does not matter. */
export async function within(limitMs: number | undefined, work: Promise<unknown> | undefined): Promise<void> {
  const done = Promise.resolve(work).catch(() => {});
  if (limitMs === undefined) return void (await done);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([done, late]);
  clearTimeout(timer);
}
