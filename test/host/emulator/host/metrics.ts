import { Result } from "../abi.ts";
import type { Vm } from "../vm.ts";
import type { Functions } from "./functions.ts";

export function metricFunctions(vm: Vm): Functions {
  return {
    proxy_define_metric(type = 0, name = 0, nameSize = 0, at = 0) {
      const id = vm.metrics.define(type, vm.memory.text(name, nameSize));
      if (id === undefined) return Result.BadArgument;
      vm.memory.putU32(at, id);
      return Result.Ok;
    },
    proxy_increment_metric: (id = 0, offset = 0) => vm.metrics.increment(id, BigInt(offset)),
    proxy_record_metric: (id = 0, value = 0) => vm.metrics.record(id, BigInt(value)),
    proxy_get_metric(id = 0, at = 0) {
      const value = vm.metrics.get(id);
      if (value === undefined) return Result.NotFound;
      vm.memory.putU64(at, value);
      return Result.Ok;
    },
  };
}
