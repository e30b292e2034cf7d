// Reads from a module's bytes what the JavaScript API does not tell: the types of the functions that it imports.

class Reader {
  private at: number;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new Error("the module ends early");
    return value;
  }

  /** Unsigned LEB128. */
  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const next = this.byte();
      value += (next & 0x7f) * 2 ** shift;
      if (next < 0x80) return value;
    }
  }

  take(length: number): Uint8Array {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  name(): string {
    return Buffer.from(this.take(this.number())).toString();
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: this.number() }, read);
  }
}

const TYPE_SECTION = 1;
const IMPORT_SECTION = 2;
const letters: Record<number, string> = { 127: "i", 126: "I", 125: "f", 124: "F" };

function functionTypes(section: Reader): string[] {
  const types = () => section.list(() => letters[section.byte()] ?? "?").join("");
  return section.list(() => {
    section.byte();
    return `(${types()})${types()}`;
  });
}

/** `module.name(parameters)result` of each imported function, `module.name` alone of anything else. */
export function importSignatures(module: Uint8Array): string[] {
  const reader = new Reader(module, 8);
  let types: string[] = [];
  while (!reader.done) {
    const id = reader.byte();
    const section = new Reader(reader.take(reader.number()));
    if (id === TYPE_SECTION) types = functionTypes(section);
    if (id !== IMPORT_SECTION) continue;
    return section.list(() => {
      const name = `${section.name()}.${section.name()}`;
      return section.byte() === 0 ? name + types[section.number()] : name;
    });
  }
  return [];
}
