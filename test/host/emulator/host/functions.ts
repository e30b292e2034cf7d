// What the families of host functions share.
import { type HostFunction, Result } from "../abi.ts";
import type { Vm } from "../vm.ts";

/** 64-bit arguments arrive as bigint, which this common type does not say. */
export type Functions = { [name in HostFunction]?: (...args: number[]) => number };

/** What a call that hands bytes back answers: they are there, or not found. */
export function answer(vm: Vm, bytes: Uint8Array | undefined, at: number, size: number): number {
  if (!bytes) return Result.NotFound;
  return vm.memory.hand(bytes, at, size) ? Result.Ok : Result.InvalidMemoryAccess;
}
