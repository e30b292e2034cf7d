// The host functions, as Envoy's host does them for ABI 0.2.1. A function that no module of ours needs is left out.
import { controlFunctions } from "./host/control.ts";
import { dataFunctions } from "./host/data.ts";
import type { Functions } from "./host/functions.ts";
import { headerFunctions } from "./host/headers.ts";
import { metricFunctions } from "./host/metrics.ts";
import type { Vm } from "./vm.ts";

export function hostFunctions(vm: Vm): Functions {
  return { ...headerFunctions(vm), ...dataFunctions(vm), ...metricFunctions(vm), ...controlFunctions(vm) };
}
