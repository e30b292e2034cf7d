// Signatures by public keys, which Envoy verifies: ECDSA on P-256 and RSA, over SHA-256. Its function takes a protobuf message: field 1 the hash,
// 2 the key, 3 the signature, 4 the text; it answers with one whose field 1 is true when the signature is good.
import { foreignAnswer, got, gotLen } from "../host/calls";
import { Writer, writer } from "../host/writer";

const VERIFY = "verify_signature";
const HASH = "sha256";
const GOOD: u32 = 0x0108;

const message = writer();

/** False where the proxy has no such function, too. */
export function isSignatureOf(key: usize, keyLen: i32, text: usize, len: i32, signature: usize, sigLen: i32): bool {
  field(message.clear(), 1, HASH.start, HASH.len);
  field(message, 2, key, keyLen);
  field(message, 3, signature, sigLen);
  field(message, 4, text, len);
  return foreignAnswer(VERIFY, message.at, message.len) && gotLen >= 2 && load<u16>(got) == GOOD;
}

// A field of bytes: its number and kind, its length in groups of seven bits, its bytes.
function field(to: Writer, number: u32, at: usize, len: i32): void {
  to.u8((number << 3) | 2);
  let rest: u32 = len;
  for (; rest > 127; rest >>= 7) to.u8((rest & 127) | 128);
  to.u8(rest).bytes(at, len);
}
