// Filter state as Wasm modules see it: `set_property("NAME")` makes `wasm.NAME`, of the kind that the root context has
// declared for NAME, writable again unless that kind is read-only.
import { Result } from "./abi.ts";

export type Prototype = { readonly: boolean };

export class FilterState {
  private readonly states = new Map<string, { value: Buffer; readonly: boolean }>();

  set(name: string, value: Buffer, prototype: Prototype | undefined): number {
    const known = this.states.get(name);
    if (known?.readonly) return Result.BadArgument;
    this.states.set(name, { value, readonly: prototype?.readonly ?? false });
    return Result.Ok;
  }

  get(name: string): Buffer | undefined {
    return this.states.get(name)?.value;
  }
}

/** The arguments of the foreign function `declare_property`, in protobuf: 1 name, 2 readonly, 3 type, 4 schema, 5 span. */
export function parseDeclaration(bytes: Buffer): { name: string; readonly: boolean } | undefined {
  const fields = new Map<number, Buffer | number>();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; at < bytes.length; shift += 7) {
      const next = bytes[at++] as number;
      value += (next & 0x7f) * 2 ** shift;
      if (next < 0x80) return value;
    }
    return Number.NaN;
  };
  while (at < bytes.length) {
    const tag = varint();
    if ((tag & 7) === 0) fields.set(tag >> 3, varint());
    else if ((tag & 7) === 2) {
      const length = varint();
      if (!(at + length <= bytes.length)) return undefined;
      fields.set(tag >> 3, bytes.subarray(at, at + length));
      at += length;
    } else return undefined;
  }
  if ([...fields.values()].some(Number.isNaN)) return undefined;
  return { name: (fields.get(1) ?? "").toString(), readonly: fields.get(2) === 1 };
}
