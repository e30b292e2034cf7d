// One WebAssembly VM on one thread: an instance of a module, its contexts, and who speaks in a host call.
import { ABI_MARKER, AbiViolation, type HostFunction, hostSignatures } from "./abi.ts";
import { Context, type Plugin } from "./context.ts";
import { GuestMemory } from "./guest-memory.ts";
import { hostFunctions } from "./host.ts";
import { MetricIds } from "./metrics.ts";
import type { Process } from "./process.ts";
import { importSignatures } from "./signatures.ts";

/** Callbacks that the proxy knows, with how many parameters each takes. */
const callbacks = {
  proxy_on_context_create: 2,
  proxy_on_vm_start: 2,
  proxy_on_configure: 2,
  proxy_on_tick: 1,
  proxy_on_request_headers: 3,
  proxy_on_request_body: 3,
  proxy_on_request_trailers: 2,
  proxy_on_response_headers: 3,
  proxy_on_response_body: 3,
  proxy_on_response_trailers: 2,
  proxy_on_http_call_response: 5,
  proxy_on_queue_ready: 2,
  proxy_on_done: 1,
  proxy_on_log: 1,
  proxy_on_delete: 1,
} as const;
export type Callback = keyof typeof callbacks;

/** A module's bytes, compiled once and checked against the ABI. */
export class Code {
  readonly module: WebAssembly.Module;
  readonly exports: string[];

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.module = new WebAssembly.Module(bytes);
    this.exports = WebAssembly.Module.exports(this.module).map(({ name }) => name);
    const foreign = importSignatures(bytes).filter((signature) => !hostSignatures.has(signature));
    if (foreign.length > 0) throw new AbiViolation(`the host links no ${foreign.join(", ")}`);
    const known = new Set<string>([...Object.keys(callbacks), ABI_MARKER]);
    const unknown = this.exports.filter((name) => name.startsWith("proxy_") && !known.has(name));
    if (unknown.length > 0) throw new AbiViolation(`nothing calls the exported ${unknown.join(", ")}`);
    for (const needed of ["memory", "malloc", ABI_MARKER]) {
      if (!this.exports.includes(needed)) throw new AbiViolation(`the module does not export ${needed}`);
    }
  }
}

export class Trap extends Error {}

export class Vm {
  readonly process: Process;
  readonly vmId: string;
  readonly thread: string;
  readonly contexts = new Map<number, Context>();
  readonly metrics: MetricIds;
  readonly memory: GuestMemory;
  /** The context whose callback runs, and the id of the one that it has chosen to act for, 0 for itself. */
  called: Context;
  private actingId = 0;
  private nextId = 1;
  /** Ended without a word, as a canary is and the VMs of a replaced module are. */
  gone = false;
  private ready = false;
  private allocating = false;
  private readonly exports: WebAssembly.Exports;

  constructor(process: Process, code: Code, vmId: string, thread: string) {
    this.process = process;
    this.vmId = vmId;
    this.thread = thread;
    this.metrics = new MetricIds(process.metrics);
    this.called = new Context(0, undefined);
    this.contexts.set(0, this.called);
    this.exports = new WebAssembly.Instance(code.module, this.imports(code)).exports;
    this.memory = new GuestMemory(this.exports.memory as WebAssembly.Memory, (size) => this.malloc(size));
    for (const [name, count] of Object.entries(callbacks)) {
      const own = this.exports[name];
      if (typeof own === "function" && own.length !== count)
        throw new AbiViolation(`${name} takes ${count} parameters`);
    }
    this.ready = true;
  }

  /** Whom host calls speak for. One that has gone meanwhile leaves the word to the one that is called. */
  get acting(): Context {
    return (this.actingId === 0 ? undefined : this.contexts.get(this.actingId)) ?? this.called;
  }

  actFor(id: number): boolean {
    if (!this.contexts.has(id)) return false;
    this.actingId = id;
    return true;
  }

  newContext(plugin: Plugin, root?: Context): Context {
    while (this.contexts.has(this.nextId)) this.nextId++;
    const context = new Context(this.nextId++, plugin, root);
    this.contexts.set(context.id, context);
    return context;
  }

  /** Shared data is kept per vm_id. */
  sharedKey(key: string): string {
    return `${this.vmId}\0${key}`;
  }

  /** Calls the module; undefined when it does not export that callback. */
  call(callback: Callback, context: Context, ...args: number[]): number | undefined {
    const own = this.exports[callback];
    if (typeof own !== "function") return undefined;
    const outer = { called: this.called, actingId: this.actingId };
    this.called = context;
    this.actingId = 0;
    try {
      return own(context.id, ...args) ?? 0;
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) {
        throw new Trap(`${callback} trapped on ${this.thread}: ${error.message}`, { cause: error });
      }
      throw error;
    } finally {
      this.called = outer.called;
      this.actingId = outer.actingId;
      this.memory.spoil();
    }
  }

  private malloc(size: number): number {
    this.allocating = true;
    try {
      return (this.exports.malloc as (size: number) => number)(size);
    } finally {
      this.allocating = false;
    }
  }

  private imports(code: Code): WebAssembly.Imports {
    const functions = hostFunctions(this);
    const guarded = (name: HostFunction) => {
      const own = functions[name] as ((...args: number[]) => number) | undefined;
      return (...args: number[]): number => {
        if (!own) throw new AbiViolation(`${name} is not emulated`);
        if (!this.ready) throw new AbiViolation(`${name} called while the module starts`);
        if (this.allocating) throw new AbiViolation(`${name} called inside of malloc`);
        return this.process.meet({ name, vm: this }) ?? own(...args);
      };
    };
    const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
    for (const { module, name } of WebAssembly.Module.imports(code.module)) {
      imports[module] = { ...imports[module], [name]: guarded(name as HostFunction) };
    }
    return imports;
  }
}
