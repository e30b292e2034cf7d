// The memory that the host writes into. What a host call hands back lies in the scratch block and is valid until the
// next `resetScratch`, which every callback does first: a request allocates nothing that outlives it.

const SCRATCH: usize = 80 * 1024;
const LARGEST: usize = 1 << 28;
const PAGE: usize = 64 * 1024;

let heapTop: usize = __heap_base;

/** Memory that is kept for good, not zeroed, aligned to 8; the VM traps when the host gives no more. */
export function allocate(size: usize): usize {
  const at = heapTop;
  heapTop = (at + size + 7) & ~7;
  const pages = <i32>((heapTop + PAGE - 1) / PAGE) - memory.size();
  if (pages > 0 && memory.grow(pages) < 0) unreachable();
  return at;
}

let base: usize = allocate(SCRATCH);
let end: usize = base + SCRATCH;
let top: usize = base;

/** Called by the host, in the middle of a host call, for each value that it hands back; 0 when there is no room. */
export function malloc(size: usize): usize {
  if (size > LARGEST) return 0;
  const need = (size + 7) & ~7;
  if (need > end - top) enlarge(need);
  const at = top;
  top += need;
  return at;
}

// A value too large for what is left: a block of twice its size takes over. The old one is not freed, since values in it
// are still in use; doubling bounds what is lost this way by the size of the last block.
function enlarge(need: usize): void {
  const size: usize = max<usize>(need, end - base) << 1;
  base = allocate(size);
  end = base + size;
  top = base;
}

/** What the host hands back from here on is void again after `releaseScratch` with this. */
export function keptScratch(): usize {
  return top;
}

/** Values handed back before stay where they are, also where a larger block has taken over meanwhile. */
export function releaseScratch(kept: usize): void {
  top = kept >= base && kept <= end ? kept : base;
}

// @ts-ignore: decorator
@inline
export function resetScratch(): void {
  top = base;
}
