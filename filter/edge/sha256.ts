// SHA-256 (FIPS 180-4) over texts that come in pieces. A state is eight words as they are computed with, 32 bytes; what was fed and does
// not fill a block yet waits in `block`.
const WORDS = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);
const START = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

export const BLOCK = 64;
export const DIGEST = 32;

const state = memory.data(DIGEST);
const block = memory.data(BLOCK);
const schedule = memory.data(4 * BLOCK);
let waiting = 0;
/** Bytes fed, with those that led to the state begun with. */
let fed: u64 = 0;

export function beginDigest(): void {
  resumeDigest(START, 0);
}

/** Goes on from a state in which whole blocks of `len` bytes were fed. */
export function resumeDigest(from: usize, len: i32): void {
  memory.copy(state, from, DIGEST);
  waiting = 0;
  fed = len;
}

/** Copies the state; only after whole blocks. */
export function saveDigest(to: usize): void {
  memory.copy(to, state, DIGEST);
}

export function feedDigest(at: usize, len: i32): void {
  fed += len;
  while (len > 0) {
    const take = min(len, BLOCK - waiting);
    memory.copy(block + waiting, at, take);
    waiting += take;
    at += take;
    len -= take;
    if (waiting < BLOCK) return;
    compress();
    waiting = 0;
  }
}

/** Writes the digest's 32 bytes to `to`. */
export function endDigest(to: usize): void {
  const bits = fed << 3;
  store<u8>(block + waiting++, 0x80);
  if (waiting > BLOCK - 8) {
    memory.fill(block + waiting, 0, BLOCK - waiting);
    compress();
    waiting = 0;
  }
  memory.fill(block + waiting, 0, BLOCK - 8 - waiting);
  store<u64>(block, bswap(bits), BLOCK - 8);
  compress();
  for (let i = 0; i < DIGEST; i += 4) store<u32>(to + i, bswap(load<u32>(state + i)));
}

function compress(): void {
  for (let i = 0; i < 64; i += 4) store<u32>(schedule + i, bswap(load<u32>(block + i)));
  for (let i = 64; i < 256; i += 4) {
    const w = schedule + i;
    const early = load<u32>(w - 60);
    const late = load<u32>(w - 8);
    const sigma0 = rotr(early, 7) ^ rotr(early, 18) ^ (early >> 3);
    const sigma1 = rotr(late, 17) ^ rotr(late, 19) ^ (late >> 10);
    store<u32>(w, load<u32>(w - 64) + sigma0 + load<u32>(w - 28) + sigma1);
  }
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  for (let i = 0; i < 256; i += 4) {
    const choice = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const first =
      h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + choice + load<u32>(WORDS + i) + load<u32>(schedule + i);
    const second = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + majority;
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + second;
  }
  add(0, a);
  add(4, b);
  add(8, c);
  add(12, d);
  add(16, e);
  add(20, f);
  add(24, g);
  add(28, h);
}

function add(at: usize, word: u32): void {
  store<u32>(state + at, load<u32>(state + at) + word);
}
