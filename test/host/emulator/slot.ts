// One place in the proxy's configuration that holds a Wasm plugin: an HTTP filter or an access logger.
import { createHash } from "node:crypto";
import { Exchange, type LocalResponse, type Plugin } from "./context.ts";
import type { Envoy } from "./envoy.ts";
import type { Pairs } from "./headers.ts";
import { filterRequest, type Handle, letGo, start } from "./plugin.ts";
import type { Thread } from "./thread.ts";
import type { Code } from "./vm.ts";

export type Request = {
  worker?: number;
  headers?: Pairs | Record<string, string>;
  /** The proxy's own route; null when it has none. */
  cluster?: string | null;
  /** Whether it asks for a subset of its cluster's hosts. */
  subset?: boolean;
  /** The hosts of the services in the cluster's metadata. */
  services?: readonly string[];
  /** The identity in the caller's certificate, in Latin-1. */
  caller?: string | undefined;
};

export type Outcome = {
  status: number;
  /** Where the request went; undefined when it went nowhere. */
  cluster: string | undefined;
  headers: Pairs;
  /** The filter state `wasm.keyway`. */
  state: string | undefined;
  local: LocalResponse | undefined;
};

/** A request that the filter has seen and that has not ended. */
export type Stream = { outcome: Outcome; exchange: Exchange; thread: Thread; end: () => void };

function outcomeOf(exchange: Exchange, reached: string | undefined): Outcome {
  return {
    status: exchange.local?.status ?? exchange.status,
    cluster: reached,
    headers: exchange.headers.pairs,
    state: exchange.state.get("keyway")?.toString("latin1"),
    local: exchange.local,
  };
}

const PSEUDO: Pairs = [
  [":method", "GET"],
  [":path", "/"],
  [":authority", "reviews"],
];

/** The headers of a request with those that every request has. */
export function withPseudoHeaders(pairs: Pairs): Pairs {
  return [...PSEUDO.filter(([name]) => !pairs.some(([given]) => given === name)), ...pairs];
}

export class Slot {
  private readonly envoy: Envoy;
  readonly code: Code;
  private readonly name: string;
  private readonly rootId: string;
  readonly direction: string;
  /** Of the listener; every slot has one of its own. */
  readonly port: number;
  private readonly current = new Map<Thread, Handle | undefined>();

  constructor(envoy: Envoy, code: Code, name: string, rootId: string, direction: string, port = 0) {
    this.envoy = envoy;
    this.code = code;
    this.name = name;
    this.rootId = rootId;
    this.direction = direction;
    this.port = port;
  }

  /** Gives the plugin a configuration on all threads; false when the canary refused it and nothing has changed. */
  configure(configuration: unknown): boolean {
    const update = this.begin(configuration);
    for (const thread of update ? this.envoy.threads : []) update?.(thread);
    return update !== undefined;
  }

  /** The same in two steps: the canary now, then each thread when the answered function is called for it. */
  begin(configuration: unknown): ((thread: Thread) => void) | undefined {
    const bytes =
      configuration instanceof Uint8Array
        ? Buffer.from(configuration)
        : Buffer.from(typeof configuration === "string" ? configuration : JSON.stringify(configuration));
    const plugin = { name: this.name, rootId: this.rootId, configuration: bytes };
    const hash = createHash("sha1").update(bytes).digest("hex");
    const key = `${this.name} ${this.direction} ${this.rootId} ${hash} ${this.code === this.envoy.code}`;
    if (!this.envoy.canary(this.code, plugin, key)) return undefined;
    return (thread) => this.apply(thread, plugin, key);
  }

  private apply(thread: Thread, plugin: Plugin, key: string): void {
    const old = this.current.get(thread);
    this.current.set(thread, this.handle(thread, plugin, key));
    if (old) letGo(thread, old);
  }

  private handle(thread: Thread, plugin: Plugin, key: string): Handle | undefined {
    const known = thread.handles.get(key);
    if (known) {
      known.users++;
      return known;
    }
    const vm = this.envoy.vm(thread, this.code);
    const root = start(vm, plugin);
    if (!root) return undefined;
    const handle = { key, root, vm, users: 1 };
    thread.handles.set(key, handle);
    return handle;
  }

  /** The plugin leaves the configuration of all threads. */
  remove(): void {
    for (const [thread, handle] of this.current) if (handle) letGo(thread, handle);
    this.current.clear();
  }

  /** Takes a request through the filter and the router, and ends it. */
  request(request: Request = {}): Outcome {
    const { outcome, end } = this.open(request);
    end();
    return outcome;
  }

  /** The same, but the stream stays until it is ended. */
  open({ worker = 0, headers = [], cluster = "reviews", subset = false, caller, services = [] }: Request): Stream {
    const thread = this.envoy.workerThread(worker);
    const pairs = Array.isArray(headers) ? headers : Object.entries(headers);
    const exchange = new Exchange(withPseudoHeaders(pairs), cluster ?? undefined, subset, caller, this);
    exchange.services = services;
    const handle = this.current.get(thread);
    const end = handle ? filterRequest(thread, handle, exchange) : () => {};
    const reached = exchange.local ? undefined : this.envoy.route(exchange, thread);
    const outcome = outcomeOf(exchange, reached);
    return { outcome, exchange, thread, end };
  }

  /** Takes a stream of another filter through this one, which stands behind it in the chain, and on to the router. */
  follow({ exchange, thread, end }: Stream): Outcome {
    const handle = this.current.get(thread);
    if (!handle) throw new Error("this filter has no configuration on that thread");
    filterRequest(thread, handle, exchange)();
    end();
    return outcomeOf(exchange, this.envoy.route(exchange, thread));
  }

  /** As an access logger: tells the module of a finished request, in its root context. */
  log(thread: Thread, exchange: Exchange): void {
    const handle = this.current.get(thread);
    if (!handle) return;
    const { root, vm } = handle;
    root.exchange = exchange;
    root.logging = true;
    try {
      vm.call("proxy_on_log", root);
    } finally {
      root.exchange = undefined;
      root.logging = false;
    }
  }
}
