// What all VMs of one proxy process share, and what a test decides: the clock, the clusters, and which host calls fail.
import type { HostFunction, LogLevel } from "./abi.ts";
import type { Pairs } from "./headers.ts";
import { Metrics } from "./metrics.ts";
import { SharedData } from "./shared-data.ts";
import type { Vm } from "./vm.ts";

export type HostCall = { name: HostFunction; vm: Vm };
export type LogLine = { level: LogLevel; text: string; thread: string };
export type Dispatched = { cluster: string; headers: Pairs; timeoutMs: number };
/** What comes back for a call; `reset` when nothing does. */
export type Response = { status: number; headers?: Pairs; body?: Uint8Array } | "reset";
/** A call on its way; `answer` brings what comes back to the module that has sent it. It ends with the context that it is from. */
export type Call = Dispatched & { answer: (response: Response) => void; ended: () => boolean; sentAt: bigint };
/** Answers calls to a cluster; undefined lets the call wait, which it has done for so many milliseconds. */
export type Service = (call: Dispatched, waitedMs: number) => Response | undefined;

/** `false` has no endpoint; `unhealthy` has none that is healthy; `subset` serves only requests that ask for a subset. */
export type ClusterState = boolean | "unhealthy" | "refusing" | "subset";

export class Process {
  readonly shared = new SharedData();
  readonly metrics = new Metrics();
  readonly logs: LogLine[] = [];
  /** Requests that modules have sent by themselves. */
  readonly dispatched: Dispatched[] = [];
  /** Those of them that have not been answered yet. */
  calls: Call[] = [];
  /** Clusters that exist. */
  readonly clusters = new Map<string, ClusterState>();
  /** What answers the calls to a cluster; others are answered as by a target that is there, or by the router. */
  readonly services = new Map<string, Service>();
  /** Nanoseconds of the clock that nobody sets. */
  monotonic = 1_000_000_000n;
  /** Nanoseconds since 1970. */
  clock = BigInt(Date.UTC(2030, 0, 1)) * 1_000_000n;
  /** The result that a host call answers instead of doing anything; undefined lets it through. */
  fault: ((call: HostCall) => number | undefined) | undefined;
  /** Runs before a host call, on another thread as it were; calls made meanwhile don't come here. */
  meanwhile: ((call: HostCall) => void) | undefined;
  private between = false;

  advance(ms: number): void {
    this.clock += BigInt(ms) * 1_000_000n;
    this.monotonic += BigInt(ms) * 1_000_000n;
  }

  counter(name: string): number {
    return Number(this.metrics.values.get(name) ?? 0n);
  }

  lines(level: LogLevel): string[] {
    return this.logs.filter((line) => line.level === level).map((line) => line.text);
  }

  /** What a host call meets before it is done: other threads' work, then the test's fault. */
  meet(call: HostCall): number | undefined {
    if (this.between) return undefined;
    if (this.meanwhile) {
      this.between = true;
      try {
        this.meanwhile(call);
      } finally {
        this.between = false;
      }
    }
    return this.fault?.(call);
  }
}
