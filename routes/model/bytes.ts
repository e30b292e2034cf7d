// Bytes and text, with what browsers and Node have in common. Requests hold bytes; here they are Latin-1 strings, one
// character per byte.
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The number of bytes of a text in UTF-8. */
export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** The UTF-8 bytes of a text, one character per byte. */
export function toLatin1(text: string): string {
  return Array.from(encoder.encode(text), (byte) => String.fromCharCode(byte)).join("");
}

/** The text whose UTF-8 bytes `bytes` holds, one character per byte; throws for what is not UTF-8. */
export function fromLatin1(bytes: string): string {
  return decoder.decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}

/** The bytes that base64url without padding stands for, one character per byte; throws for anything else. */
export function fromBase64Url(text: string): string {
  return atob(text.replaceAll("-", "+").replaceAll("_", "/"));
}
