// For editors alone; asc never reads it. In the module a string literal is a `Bytes` (transform/byte-literals.mjs), and the
// class of that name in text/bytes.ts is global. TypeScript takes a literal for a `string` all the same and marks it where a
// `Bytes` is wanted: asc, which `npm run build` runs, is what decides.

/** A constant byte string: its length, and the address of its bytes. */
interface Bytes {
  len: i32;
  readonly at: usize;
}
