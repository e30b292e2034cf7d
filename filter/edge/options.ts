// What the configuration says of keys from outside. It stands behind the forms, laid down as a source of the kind EDGE whose name is:
//   u8 accept, u8 flags, u64 identity of the keys (a hash of all of them), and the keys, one after the other:
//     u8 kind, u8 id length, u16 material length, the id, the material
// The material of PUBLIC is a DER-encoded SubjectPublicKeyInfo, that of SECRET the two states that hmac.ts begins with.
import { sourceName, sourceNameLen } from "../sources/source";
import { same } from "../text/bytes";

const FLAGS = 1;
const IDENTITY = 2;
export const EDGE_FIXED = 10;
const KEY_FIXED = 4;

export const ACCEPT_NONE: u32 = 1;
export const ACCEPT_SIGNED: u32 = 2;
export const ACCEPT_ANY: u32 = 3;

export const REMOVES_TRACES: u32 = 1;
export const UNWRAPS: u32 = 2;

export const PUBLIC: u32 = 1;
export const SECRET: u32 = 2;

export function acceptOf(edge: usize): u32 {
  return load<u8>(sourceName(edge));
}

export function removesTraces(edge: usize): bool {
  return (load<u8>(sourceName(edge), FLAGS) & REMOVES_TRACES) != 0;
}

/** Whether a signed key goes on as the plain key in it. */
export function unwraps(edge: usize): bool {
  return (load<u8>(sourceName(edge), FLAGS) & UNWRAPS) != 0;
}

/** A number that other keys do not have. */
export function identityOf(edge: usize): u64 {
  return load<u64>(sourceName(edge), IDENTITY);
}

export function hasKeys(edge: usize): bool {
  return sourceNameLen(edge) > EDGE_FIXED;
}

/** The key with this id; 0 when there is none. */
export function keyNamed(edge: usize, id: usize, idLen: i32): usize {
  const end = sourceName(edge) + sourceNameLen(edge);
  for (let key = sourceName(edge) + EDGE_FIXED; key < end; key = materialOf(key) + materialLen(key))
    if (same(idOf(key), idLenOf(key), id, idLen)) return key;
  return 0;
}

export function isSecret(key: usize): bool {
  return load<u8>(key) == SECRET;
}

export function idOf(key: usize): usize {
  return key + KEY_FIXED;
}

export function idLenOf(key: usize): i32 {
  return load<u8>(key, 1);
}

export function materialOf(key: usize): usize {
  return idOf(key) + idLenOf(key);
}

export function materialLen(key: usize): i32 {
  return load<u16>(key, 2);
}
