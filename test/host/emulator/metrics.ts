// Metrics have one value per name in the process; each VM has ids of its own for them, two low bits of which are the type.
import { MetricType, Result } from "./abi.ts";

export class Metrics {
  readonly values = new Map<string, bigint>();
}

const TYPE_MASK = 3;

export class MetricIds {
  private readonly names = new Map<number, string>();
  private readonly next = [MetricType.Counter, MetricType.Gauge, MetricType.Histogram] as number[];
  private readonly metrics: Metrics;

  constructor(metrics: Metrics) {
    this.metrics = metrics;
  }

  /** How often this VM has defined a metric: each costs the host memory, also for a name it already has. */
  get defined(): number {
    return this.names.size;
  }

  define(type: number, name: string): number | undefined {
    const last = this.next[type];
    if (last === undefined) return undefined;
    const id = last + TYPE_MASK + 1;
    this.next[type] = id;
    this.names.set(id, name);
    if (!this.metrics.values.has(name)) this.metrics.values.set(name, 0n);
    return id;
  }

  increment(id: number, offset: bigint): number {
    const type = id & TYPE_MASK;
    if (type === MetricType.Histogram) return Result.BadArgument;
    const name = this.names.get(id);
    if (name === undefined) return Result.NotFound;
    if (type === MetricType.Counter && offset <= 0n) return Result.BadArgument;
    this.metrics.values.set(name, this.value(name) + offset);
    return Result.Ok;
  }

  record(id: number, value: bigint): number {
    const name = this.names.get(id);
    if (name === undefined) return Result.NotFound;
    const counted = (id & TYPE_MASK) === MetricType.Counter ? this.value(name) : 0n;
    this.metrics.values.set(name, counted + BigInt.asUintN(64, value));
    return Result.Ok;
  }

  get(id: number): bigint | undefined {
    const name = this.names.get(id);
    return name === undefined ? undefined : this.value(name);
  }

  private value(name: string): bigint {
    return this.metrics.values.get(name) ?? 0n;
  }
}
