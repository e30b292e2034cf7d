// The log, the clock, contexts, foreign functions, and requests of the module's own.
import { AbiViolation, LogLevels, Result } from "../abi.ts";
import type { Context } from "../context.ts";
import { parseDeclaration } from "../filter-state.ts";
import { decodePairs, Headers } from "../headers.ts";
import type { Response } from "../process.ts";
import type { Vm } from "../vm.ts";
import { answer, type Functions } from "./functions.ts";
import { verifySignature } from "./signature.ts";

const WASI_NOT_SUPPORTED = 58;

export function controlFunctions(vm: Vm): Functions {
  const { process } = vm;
  return {
    proxy_log(level = 0, at = 0, size = 0) {
      const name = LogLevels[level];
      if (!name) throw new AbiViolation(`log level ${level}, at which Envoy ends itself`);
      process.logs.push({ level: name, text: vm.memory.bytes(at, size).toString("utf8"), thread: vm.thread });
      return Result.Ok;
    },
    proxy_get_log_level(at = 0) {
      vm.memory.putU32(at, LogLevels.indexOf("info"));
      return Result.Ok;
    },
    proxy_get_current_time_nanoseconds(at = 0) {
      vm.memory.putU64(at, process.clock);
      return Result.Ok;
    },
    clock_time_get(clock = 0, _precision = 0, at = 0) {
      if (clock > 1) return WASI_NOT_SUPPORTED;
      vm.memory.putU64(at, clock === 0 ? process.clock : process.monotonic);
      return Result.Ok;
    },
    proxy_set_tick_period_milliseconds(ms = 0) {
      vm.acting.root.tickMs = ms >>> 0;
      return Result.Ok;
    },
    proxy_set_effective_context: (id = 0) => (vm.actFor(id >>> 0) ? Result.Ok : Result.BadArgument),
    proxy_call_foreign_function(name = 0, nameSize = 0, args = 0, argsSize = 0, at = 0, size = 0) {
      const wanted = vm.memory.text(name, nameSize);
      const bytes = vm.memory.bytes(args, argsSize);
      if (wanted === "verify_signature") return answer(vm, verifySignature(bytes), at, size);
      const result = foreign(vm, wanted, bytes);
      if (result === Result.NotFound) return result;
      if (at !== 0) vm.memory.putU32(at, 0);
      if (size !== 0) vm.memory.putU32(size, 0);
      return result;
    },
    proxy_http_call(
      cluster = 0,
      clusterSize = 0,
      headers = 0,
      headersSize = 0,
      body = 0,
      bodySize = 0,
      trailers = 0,
      trailersSize = 0,
      timeoutMs = 0,
      tokenAt = 0,
    ) {
      const name = vm.memory.text(cluster, clusterSize);
      const pairs = decodePairs(vm.memory.bytes(headers, headersSize));
      decodePairs(vm.memory.bytes(trailers, trailersSize));
      vm.memory.bytes(body, bodySize);
      vm.memory.putU32(tokenAt, 0);
      const state = process.clusters.get(name);
      if (timeoutMs < 0 || state === undefined) return Result.BadArgument;
      const names = pairs.map(([own]) => own);
      if (![":path", ":method", ":authority"].every((needed) => names.includes(needed))) return Result.BadArgument;
      if (state !== true && state !== "refusing") return Result.InternalFailure;
      const call = { cluster: name, headers: pairs, timeoutMs };
      process.dispatched.push(call);
      const token = process.dispatched.length;
      const caller = vm.acting;
      process.calls.push({
        ...call,
        sentAt: process.monotonic,
        answer: (response) => answerCall(vm, caller, token, response),
        ended: () => vm.gone || vm.contexts.get(caller.id) !== caller,
      });
      vm.memory.putU32(tokenAt, token);
      return Result.Ok;
    },
  };
}

function answerCall(vm: Vm, caller: Context, token: number, response: Response): void {
  const { status, headers = [], body = new Uint8Array() } = response === "reset" ? { status: 0 } : response;
  caller.root.callHeaders = new Headers(status === 0 ? [] : [[":status", String(status)], ...headers]);
  caller.root.callBody = body;
  vm.call("proxy_on_http_call_response", caller, token, caller.root.callHeaders.pairs.length, body.length, 0);
  caller.root.callHeaders = caller.root.callBody = undefined;
}

/** `declare_property` speaks for the context that is being called, whichever is in effect. */
function foreign(vm: Vm, name: string, args: Buffer): number {
  if (name === "clear_route_cache") return Result.Ok;
  if (name !== "declare_property") return Result.NotFound;
  const declared = parseDeclaration(args);
  if (!declared || vm.called.prototypes.has(declared.name)) return Result.BadArgument;
  vm.called.prototypes.set(declared.name, declared);
  return Result.Ok;
}
