// The module's memory from the host's side. Every address is checked: one out of bounds is a violation.
import { AbiViolation } from "./abi.ts";

export class GuestMemory {
  private readonly memory: WebAssembly.Memory;
  private readonly malloc: (size: number) => number;
  private handed: { at: number; size: number }[] = [];

  constructor(memory: WebAssembly.Memory, malloc: (size: number) => number) {
    this.memory = memory;
    this.malloc = malloc;
  }

  get size(): number {
    return this.memory.buffer.byteLength;
  }

  private view(at: number, length: number): Buffer {
    const from = at >>> 0;
    const size = length >>> 0;
    if (from + size > this.size) throw new AbiViolation(`address ${from}+${size} outside of ${this.size} bytes`);
    return Buffer.from(this.memory.buffer, from, size);
  }

  /** A copy, so that it outlives what the module does next. */
  bytes(at: number, length: number): Buffer {
    return Buffer.from(this.view(at, length));
  }

  text(at: number, length: number): string {
    return this.view(at, length).toString("latin1");
  }

  putU32(at: number, value: number): void {
    this.view(at, 4).writeUInt32LE(value >>> 0);
  }

  putU64(at: number, value: bigint): void {
    this.view(at, 8).writeBigUInt64LE(BigInt.asUintN(64, value));
  }

  /** Hands bytes to the module through its `malloc`; false when the module has no room. Nothing is allocated for no bytes. */
  hand(bytes: Uint8Array, atAt: number, sizeAt: number): boolean {
    let at = 0;
    if (bytes.length > 0) {
      at = this.malloc(bytes.length) >>> 0;
      if (at === 0) return false;
      this.view(at, bytes.length).set(bytes);
      this.handed.push({ at, size: bytes.length });
    }
    this.putU32(atAt, at);
    this.putU32(sizeAt, bytes.length);
    return true;
  }

  /** Spoils what was handed out: our modules' rule is that it is void once the callback has ended. */
  spoil(): void {
    for (const { at, size } of this.handed) this.view(at, size).fill(0xdb);
    this.handed = [];
  }
}
