/** Which keys are taken from outside: none, those that are signed, or any. */
export const ACCEPTS = ["none", "signed", "any"] as const;
export const EDGE_TRACES = ["remove", "keep"] as const;

/** What verifies signed keys, one of the two: a public key as base64 of its DER (SubjectPublicKeyInfo), or a secret as base64. */
export interface EdgeKey {
  id: string;
  publicKey?: string;
  secret?: string;
}

export interface Edge {
  accept: (typeof ACCEPTS)[number];
  keys?: EdgeKey[];
  /** Whether the ids of traces are taken off; unless said, wherever not any key is accepted. */
  traces?: (typeof EDGE_TRACES)[number];
  /** True: a signed key goes on as the plain key in it. */
  unwrap?: boolean;
}

export function removesTraces(edge: Edge | undefined): boolean {
  return edge !== undefined && (edge.traces ?? (edge.accept === "any" ? "keep" : "remove")) === "remove";
}

/** The bytes that base64 with its padding stands for, one character per byte; undefined for anything else. */
export function fromBase64(text: string): string | undefined {
  const wellFormed = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text);
  return wellFormed ? atob(text) : undefined;
}

const P256 =
  "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";
const RSA = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x03\x82";

/** Whether a DER text is a SubjectPublicKeyInfo that Envoy can verify with: P-256, or RSA of 2048 to 4096 bits. */
export function isPublicKey(der: string): boolean {
  if (der.length === 91) return der.startsWith(P256);
  const modulus = lengthAfter(der, 28, "\x02\x82");
  const isWhole = lengthAfter(der, 0, "\x30\x82") === der.length - 4 && der.startsWith(RSA, 4);
  return isWhole && modulus >= 257 && modulus <= 513 && der.length > 28 + modulus;
}

/** The two bytes of a length that follow a tag; -1 where another tag stands. */
function lengthAfter(der: string, at: number, tag: string): number {
  return der.startsWith(tag, at) ? (der.charCodeAt(at + 2) << 8) | der.charCodeAt(at + 3) : -1;
}
