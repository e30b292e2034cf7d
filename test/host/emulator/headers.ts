// A header map as Envoy has it: lower-case names in order, values as bytes (Latin-1 strings here), `host` an alias of
// `:authority`. What Envoy's codecs would refuse to send is a violation as soon as the module writes it.
import { AbiViolation } from "./abi.ts";

export type Pairs = [name: string, value: string][];

const folded = (name: string) => {
  const lower = name.toLowerCase();
  return lower === "host" ? ":authority" : lower;
};

function sendable(name: string, value: string): void {
  if (!/^:?[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) throw new AbiViolation(`header name ${JSON.stringify(name)}`);
  if (/[\0\r\n]/.test(value)) throw new AbiViolation(`header ${name} with value ${JSON.stringify(value)}`);
}

export class Headers {
  pairs: Pairs;

  constructor(pairs: Pairs) {
    this.pairs = pairs.map(([name, value]) => [folded(name), value]);
  }

  all(name: string): string[] {
    const wanted = folded(name);
    return this.pairs.filter(([own]) => own === wanted).map(([, value]) => value);
  }

  first(name: string): string | undefined {
    return this.all(name)[0];
  }

  add(name: string, value: string): void {
    const own = folded(name);
    sendable(own, value);
    this.pairs.push([own, value]);
  }

  remove(name: string): void {
    const gone = folded(name);
    this.pairs = this.pairs.filter(([own]) => own !== gone);
  }

  /** As Envoy's setCopy: the first entry takes the value, further ones go. */
  replace(name: string, value: string): void {
    const own = folded(name);
    sendable(own, value);
    const first = this.pairs.find((pair) => pair[0] === own);
    if (!first) this.pairs.push([own, value]);
    else {
      first[1] = value;
      this.pairs = this.pairs.filter((pair) => pair === first || pair[0] !== own);
    }
  }

  get byteSize(): number {
    return this.pairs.reduce((size, [name, value]) => size + name.length + value.length, 0);
  }
}

/** u32 count, count times (u32 name length, u32 value length), then names and values, each NUL-ended. */
export function encodePairs(pairs: Pairs): Buffer {
  const head = Buffer.alloc(4 + 8 * pairs.length);
  head.writeUInt32LE(pairs.length);
  pairs.forEach(([name, value], i) => {
    head.writeUInt32LE(name.length, 4 + 8 * i);
    head.writeUInt32LE(value.length, 8 + 8 * i);
  });
  return Buffer.concat([head, Buffer.from(pairs.map(([name, value]) => `${name}\0${value}\0`).join(""), "latin1")]);
}

/** The real host takes malformed pairs for none; here they are a violation. */
export function decodePairs(bytes: Buffer): Pairs {
  const pairs: Pairs = [];
  if (bytes.length < 4) throw new AbiViolation("header pairs without a count");
  const count = bytes.readUInt32LE(0);
  let at = 4 + 8 * count;
  const text = (length: number) => {
    if (at + length >= bytes.length || bytes[at + length] !== 0) throw new AbiViolation("malformed header pairs");
    at += length + 1;
    return bytes.toString("latin1", at - length - 1, at - 1);
  };
  if (at > bytes.length) throw new AbiViolation("header pairs shorter than their count");
  for (let i = 0; i < count; i++) {
    pairs.push([text(bytes.readUInt32LE(4 + 8 * i)), text(bytes.readUInt32LE(8 + 8 * i))]);
  }
  if (at !== bytes.length) throw new AbiViolation("header pairs with bytes left over");
  return pairs;
}
