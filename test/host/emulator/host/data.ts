// Properties, shared data and configuration buffers.
import { BufferType, Result } from "../abi.ts";
import { property } from "../properties.ts";
import type { Vm } from "../vm.ts";
import { answer, type Functions } from "./functions.ts";

function buffer({ acting }: Vm, type: number): Uint8Array | undefined {
  if (type === BufferType.PluginConfiguration) return acting.configuration;
  if (type === BufferType.HttpCallResponseBody) return acting.root.callBody;
  return type === BufferType.VmConfiguration ? Buffer.alloc(0) : undefined;
}

export function dataFunctions(vm: Vm): Functions {
  const { process } = vm;
  return {
    proxy_get_property(path = 0, pathSize = 0, at = 0, size = 0) {
      return answer(vm, property(vm.acting, vm.vmId, vm.memory.text(path, pathSize)), at, size);
    },
    proxy_set_property(path = 0, pathSize = 0, value = 0, valueSize = 0) {
      const { exchange, logging, root } = vm.acting;
      const name = vm.memory.text(path, pathSize);
      const bytes = vm.memory.bytes(value, valueSize);
      if (!exchange || logging) return Result.NotFound;
      return exchange.state.set(name, bytes, root.prototypes.get(name));
    },
    proxy_get_shared_data(key = 0, keySize = 0, at = 0, size = 0, casAt = 0) {
      const entry = process.shared.get(vm.sharedKey(vm.memory.text(key, keySize)));
      const result = answer(vm, entry?.value, at, size);
      if (entry && result === Result.Ok) vm.memory.putU32(casAt, entry.cas);
      return result;
    },
    proxy_set_shared_data(key = 0, keySize = 0, value = 0, valueSize = 0, cas = 0) {
      const name = vm.sharedKey(vm.memory.text(key, keySize));
      return process.shared.set(name, vm.memory.bytes(value, valueSize), cas >>> 0);
    },
    proxy_get_buffer_bytes(type = 0, start = 0, length = 0, at = 0, size = 0) {
      const from = start >>> 0;
      return answer(vm, buffer(vm, type)?.subarray(from, from + (length >>> 0)), at, size);
    },
    proxy_get_buffer_status(type = 0, lengthAt = 0, flagsAt = 0) {
      const bytes = buffer(vm, type);
      if (!bytes) return Result.NotFound;
      vm.memory.putU32(lengthAt, bytes.length);
      vm.memory.putU32(flagsAt, 0);
      return Result.Ok;
    },
  };
}
