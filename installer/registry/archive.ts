// A tar archive of one file, in gzip's format but stored as it is: compressors differ between versions and processors, and the
// same module must give the same bytes everywhere.
import { gunzipSync } from "node:zlib";

const BLOCK = 512;
const LARGEST_STORED = 0xffff;

export function tarOf(name: string, content: Uint8Array): Buffer<ArrayBuffer> {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number) =>
    header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "ascii");
  header.write(name, 0, "ascii");
  octal(0o644, 100, 8); // mode
  octal(0, 108, 8); // owner
  octal(0, 116, 8); // group
  octal(content.length, 124, 12);
  octal(0, 136, 12); // modified at the epoch
  header.write("        0", 148, "ascii"); // the checksum counts itself as blanks; a plain file
  header.write("ustar\x0000", 257, "ascii");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "ascii");
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  return Buffer.concat([header, content, padding, Buffer.alloc(2 * BLOCK)]);
}

/** The file called `name` in a tar archive, compressed by gzip or not; undefined when it has none. */
export function fileInTar(archive: Uint8Array, name: string): Buffer | undefined {
  const tar = archive[0] === 0x1f && archive[1] === 0x8b ? gunzipSync(archive) : Buffer.from(archive);
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0; ) {
    const text = (from: number, length: number) =>
      tar.toString("ascii", at + from, at + from + length).replace(/\0.*$/s, "");
    const size = Number.parseInt(text(124, 12), 8);
    const start = at + BLOCK;
    if (text(0, 100).replace(/^\.\//, "") === name) return tar.subarray(start, start + size);
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return undefined;
}

export function gzipStored(content: Uint8Array): Buffer<ArrayBuffer> {
  const blocks: Uint8Array[] = [Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])];
  for (let at = 0; at < content.length; at += LARGEST_STORED) {
    const piece = content.subarray(at, at + LARGEST_STORED);
    const blockHeader = Buffer.alloc(5);
    blockHeader.writeUInt8(at + piece.length === content.length ? 1 : 0);
    blockHeader.writeUInt16LE(piece.length, 1);
    blockHeader.writeUInt16LE(~piece.length & 0xffff, 3);
    blocks.push(blockHeader, piece);
  }
  const tail = Buffer.alloc(8);
  tail.writeUInt32LE(crc32(content));
  tail.writeUInt32LE(content.length % 2 ** 32, 4);
  return Buffer.concat([...blocks, tail]);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(content: Uint8Array): number {
  const crc = content.reduce((value, byte) => (value >>> 8) ^ (CRC_TABLE[(value ^ byte) & 0xff] ?? 0), 0xffffffff);
  return (crc ^ 0xffffffff) >>> 0;
}
