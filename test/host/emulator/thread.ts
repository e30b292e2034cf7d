import type { Handle } from "./plugin.ts";
import type { Code, Vm } from "./vm.ts";

/** One of the proxy's threads: its VMs, one per module, and the plugin configurations alive on it. */
export class Thread {
  readonly name: string;
  readonly vms = new Map<Code, Vm>();
  readonly handles = new Map<string, Handle>();

  constructor(name: string) {
    this.name = name;
  }
}
