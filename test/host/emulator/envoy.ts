// Drives modules as Envoy does: a canary VM for each new configuration, then one VM per thread with a root context per
// configuration, streams on the workers, the two guarded routes, and an access logger for failed selections.
import type { Exchange, Plugin } from "./context.ts";
import { start } from "./plugin.ts";
import { type Dispatched, Process, type Response, type Service } from "./process.ts";
import { Slot } from "./slot.ts";
import { Thread } from "./thread.ts";
import { type Code, Vm } from "./vm.ts";

const SELECTION = "x-keyway-cluster";
const Flag = { NoHealthyUpstream: 0x2, UpstreamConnectionFailure: 0x20, NoClusterFound: 0x4000000 };

export class Envoy {
  readonly process = new Process();
  readonly threads: Thread[];
  readonly code: Code;
  readonly vmId: string;
  private readonly canaries = new Map<string, boolean>();
  private readonly logger: Slot | undefined;

  /** `code` is the filter; `watch`, when given, is wired as the access logger of requests that reached no host. */
  private nextPort = 10_000;

  constructor(
    code: Code,
    { workers = 1, vmId = "keyway", watch }: { workers?: number; vmId?: string; watch?: Code } = {},
  ) {
    this.code = code;
    this.vmId = vmId;
    this.threads = ["main", ...Array.from({ length: workers }, (_, i) => `worker ${i}`)].map(
      (name) => new Thread(name),
    );
    if (watch) {
      this.logger = new Slot(this, watch, "keyway", "keyway", "inbound");
      if (!this.logger.configure("")) throw new Error("the access logger refused its empty configuration");
    }
  }

  /** Plugins of one name in listeners of different directions are different plugins. */
  filter(name = "keyway", rootId = "keyway", direction = "inbound"): Slot {
    return new Slot(this, this.code, name, rootId, direction, this.nextPort++);
  }

  workerThread(index: number): Thread {
    const thread = this.threads[index + 1];
    if (!thread) throw new Error(`there is no worker ${index}`);
    return thread;
  }

  vm(thread: Thread, code: Code): Vm {
    const vm = thread.vms.get(code) ?? new Vm(this.process, code, this.vmId, thread.name);
    thread.vms.set(code, vm);
    return vm;
  }

  /** Whether a throw-away VM takes the configuration; asked once per configuration. */
  canary(code: Code, plugin: Plugin, key: string): boolean {
    let accepted = this.canaries.get(key);
    if (accepted === undefined) {
      const vm = new Vm(this.process, code, this.vmId, "canary");
      accepted = start(vm, plugin) !== undefined;
      vm.gone = true;
      this.canaries.set(key, accepted);
    }
    return accepted;
  }

  /** Runs the ticks that root contexts have asked for, once each. */
  tick(): void {
    for (const thread of this.threads) {
      for (const vm of thread.vms.values()) {
        for (const context of [...vm.contexts.values()]) if (context.tickMs > 0) vm.call("proxy_on_tick", context);
      }
    }
  }

  /** Answers the calls that modules have sent, but those that their service lets wait; true when there were some. */
  answer(): boolean {
    const { calls, services } = this.process;
    this.process.calls = [];
    let answered = false;
    for (const call of calls) {
      if (call.ended()) continue;
      const service = services.get(call.cluster);
      const waited = Number((this.process.monotonic - call.sentAt) / 1_000_000n);
      const response = waited < call.timeoutMs ? this.answerOf(call, service, waited) : { status: 504 };
      if (!response) this.process.calls.push(call);
      else {
        call.answer(response);
        answered = true;
      }
    }
    return answered;
  }

  /** What a service, a target that is none, or where that can't be reached the router answers. */
  private answerOf(call: Dispatched, service: Service | undefined, waited: number): Response | undefined {
    if (service) return service(call, waited);
    const reached = this.process.clusters.get(call.cluster) === true;
    return reached ? { status: 200, headers: [["x-envoy-upstream-service-time", "1"]] } : { status: 503 };
  }

  /** Time goes by, with all that happens by the clock. */
  run(ms: number, step = 250): void {
    for (let at = 0; at < ms; at += step) {
      this.process.advance(step);
      this.tick();
      while (this.answer());
    }
  }

  /** Ends the VMs of another module than these filters', as Envoy does when that was replaced: without a word. */
  end(code: Code): void {
    for (const { vms } of this.threads) {
      const vm = vms.get(code);
      if (vm) vm.gone = true;
      vms.delete(code);
    }
  }

  /** Bytes of all threads' WebAssembly memories. */
  get wasmBytes(): number {
    return this.threads.flatMap(({ vms }) => [...vms.values()]).reduce((sum, vm) => sum + vm.memory.size, 0);
  }

  /** The router: where the request goes, and what comes back. */
  route(exchange: Exchange, thread: Thread): string | undefined {
    const wanted = exchange.headers.first(SELECTION);
    const guarded = exchange.state.get("keyway")?.toString("latin1").startsWith("routed") ?? false;
    if (wanted === undefined || !guarded) {
      exchange.status = exchange.cluster === undefined ? 404 : 200;
      return exchange.cluster;
    }
    const state = this.process.clusters.get(wanted);
    if (state === true || (state === "subset" && exchange.subset)) {
      exchange.status = 200;
      return wanted;
    }
    exchange.status = 503;
    if (state === undefined) exchange.flags = Flag.NoClusterFound;
    else exchange.flags = state === "refusing" ? Flag.UpstreamConnectionFailure : Flag.NoHealthyUpstream;
    if (state !== undefined) exchange.endpoints = state === false ? 0 : 1;
    this.logger?.log(thread, exchange);
    return undefined;
  }
}
