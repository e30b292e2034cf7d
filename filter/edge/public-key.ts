// What a public key looks like that Envoy can verify with: a DER-encoded SubjectPublicKeyInfo (RFC 5280) of a point on P-256, not compressed,
// or of an RSA modulus of 2048 to 4096 bits.
import { same } from "../text/bytes";

const P256 = memory.data<u8>([
  0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
  0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
]);
const P256_FRONT = 27;
const P256_SIZE = 91;

const RSA = memory.data<u8>([
  0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82,
]);
const RSA_FRONT = 17;
const RSA_AT = 4;
const MODULUS_AT = 28;
const LEAST_MODULUS = 2048 / 8 + 1;
const MOST_MODULUS = 4096 / 8 + 1;

export function isPublicKey(at: usize, len: i32): bool {
  if (len == P256_SIZE) return same(at, P256_FRONT, P256, P256_FRONT);
  if (len <= MODULUS_AT + LEAST_MODULUS || sequenceLen(at, 0x3082) != len - RSA_AT) return false;
  const modulus = sequenceLen(at + MODULUS_AT, 0x0282);
  return same(at + RSA_AT, RSA_FRONT, RSA, RSA_FRONT) && modulus >= LEAST_MODULUS && modulus <= MOST_MODULUS;
}

// The length that follows a tag with a length of two bytes; -1 where another tag stands.
function sequenceLen(at: usize, tag: u32): i32 {
  return <u32>bswap(load<u16>(at)) == tag ? <i32>bswap(load<u16>(at, 2)) : -1;
}
