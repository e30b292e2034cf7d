// For editors alone; asc never reads it. In the module a string literal is a `Bytes` (transform/byte-literals.mjs), and the
// class of that name in text/bytes.ts is global. Here a `string` passes for a `Bytes`, so that editors mark no literal. What they
// still mark, a `bool` that is returned as a number, is right to asc, which `npm run build` runs and which decides.

/** A constant byte string: its length, and the address of its bytes. */
interface Bytes {
  len: i32;
  readonly start: usize;
}

interface String extends Bytes {}
