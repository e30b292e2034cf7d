// Shared data of one process: every VM with the same vm_id sees it. A key once written stays, as in the real host.
import { Result } from "./abi.ts";

type Entry = { value: Uint8Array; cas: number };

export class SharedData {
  readonly entries = new Map<string, Entry>();
  private lastCas = 0;

  get(key: string): Entry | undefined {
    return this.entries.get(key);
  }

  /** With `cas` 0 unconditional; otherwise only when the key is absent or still has that number. */
  set(key: string, value: Uint8Array, cas: number): number {
    const known = this.entries.get(key);
    if (known && cas !== 0 && cas !== known.cas) return Result.CasMismatch;
    this.entries.set(key, { value: Uint8Array.from(value), cas: ++this.lastCas });
    return Result.Ok;
  }

  /** Bytes of all keys and values. */
  get size(): number {
    let size = 0;
    for (const [key, { value }] of this.entries) size += key.length + value.length;
    return size;
  }
}
