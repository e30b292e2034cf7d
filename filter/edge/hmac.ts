// HMAC-SHA-256 (RFC 2104). A secret is kept as the two states that its padded forms lead to, inner and outer, so that a text costs two
// blocks less and the secret itself stands nowhere.
import { BLOCK, DIGEST, beginDigest, endDigest, feedDigest, resumeDigest, saveDigest } from "./sha256";

/** The size of a secret's two states. */
export const STATES = 2 * DIGEST;

const INNER: u32 = 0x36;
const OUTER: u32 = 0x5c;

const padded = memory.data(BLOCK);
const digest = memory.data(DIGEST);

/** Writes the two states of a secret to `to`. */
export function prepareSecret(secret: usize, len: i32, to: usize): void {
  memory.fill(padded, 0, BLOCK);
  if (len <= BLOCK) memory.copy(padded, secret, len);
  else {
    beginDigest();
    feedDigest(secret, len);
    endDigest(padded);
  }
  prepare(INNER, to);
  prepare(OUTER, to + DIGEST);
}

function prepare(pad: u32, to: usize): void {
  turn(pad);
  beginDigest();
  feedDigest(padded, BLOCK);
  saveDigest(to);
  turn(pad);
}

function turn(pad: u32): void {
  for (let i = 0; i < BLOCK; i++) store<u8>(padded + i, <u8>(load<u8>(padded + i) ^ pad));
}

/** Whether (`code`, `codeLen`) is the text's code under the secret with these states. How long it takes does not tell where they differ. */
export function isCodeOf(states: usize, text: usize, len: i32, code: usize, codeLen: i32): bool {
  if (codeLen != DIGEST) return false;
  resumeDigest(states, BLOCK);
  feedDigest(text, len);
  endDigest(digest);
  resumeDigest(states + DIGEST, BLOCK);
  feedDigest(digest, DIGEST);
  endDigest(digest);
  let difference: u64 = 0;
  for (let i = 0; i < DIGEST; i += 8) difference |= load<u64>(digest + i) ^ load<u64>(code + i);
  return difference == 0;
}
