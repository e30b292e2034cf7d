/** Does the work for all, for so many at one time at most; the results are in their order. The first failure is thrown once what was
 * begun is over, and nothing more is begun. */
export async function atOnce<T, R>(most: number, all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const failures: unknown[] = [];
  let next = 0;
  const worker = async () => {
    while (next < all.length && failures.length === 0) {
      const at = next++;
      try {
        results[at] = await work(all[at] as T);
      } catch (thrown) {
        failures.push(thrown);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, all.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
