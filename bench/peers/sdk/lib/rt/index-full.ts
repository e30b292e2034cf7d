// What the SDK knew as reference counting is pinning in today's runtime.
export function __retain(ptr: usize): usize {
  return __pin(ptr);
}

export function __release(ptr: usize): void {
  __unpin(ptr);
}
