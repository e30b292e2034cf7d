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

/** The bytes that a text has, one character per byte. */
export function latin1Bytes(bytes: string): Uint8Array {
  return Uint8Array.from(bytes, (character) => character.charCodeAt(0));
}

/** The text whose UTF-8 bytes `bytes` holds, one character per byte; throws for what is not UTF-8. */
export function fromLatin1(bytes: string): string {
  return decoder.decode(latin1Bytes(bytes));
}

/** The bytes that base64url without padding stands for, one character per byte; throws for anything else. */
export function fromBase64Url(text: string): string {
  return atob(text.replaceAll("-", "+").replaceAll("_", "/"));
}

/** A text that may come from anywhere, in quotes for a message: 60 bytes at most, `?` for what is not printable ASCII. */
export function quoted(text: string): string {
  const bytes = toLatin1(text);
  return `"${bytes.slice(0, 60).replace(/[^\x20\x21\x23-\x7e]/g, "?")}${bytes.length > 60 ? "..." : ""}"`;
}
