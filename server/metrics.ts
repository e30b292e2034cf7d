import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What the server counts, with one line for each that says what it is. */
export const METRICS = {
  keyway_server_requests_total: "HTTP requests by endpoint, method and status",
  keyway_server_request_seconds: "Time from a request's headers to its answer, those that wait for changes aside",
  keyway_server_routes: "Routes in the table",
  keyway_server_revision: "The table's revision",
  keyway_server_watches: "Watches that are open",
  keyway_server_connections: "Connections that are open",
  keyway_server_polls: "Proxies' polls that wait for a change",
  keyway_server_tables: "Compiled tables that are held, one for each scope",
  keyway_server_pages: "Pages of tables that were answered",
  keyway_server_page_bytes: "Bytes of these pages",
  keyway_server_resets: "Times that a proxy had to begin anew",
  keyway_server_expired_total: "Routes that were deleted because their time had come",
  keyway_server_signadot_rules: "Rules for clients of Signadot's routes API",
  keyway_server_signadot_watches: "Clients that watch these rules",
  keyway_server_signadot_left_out: "Routes that are in none of these rules, by the reason",
  keyway_server_store_up: "1 while the store can be read and written",
} as const;

export class Metrics {
  readonly registry = new Registry();
  readonly requests = new Counter({
    ...named("keyway_server_requests_total"),
    labelNames: ["endpoint", "method", "status"],
    registers: [this.registry],
  });
  readonly seconds = new Histogram({
    ...named("keyway_server_request_seconds"),
    labelNames: ["endpoint", "method"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5, 30],
    registers: [this.registry],
  });
  readonly watches = new Gauge({ ...named("keyway_server_watches"), registers: [this.registry] });
  readonly expired = new Counter({ ...named("keyway_server_expired_total"), registers: [this.registry] });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Shows a number that is known elsewhere, as it is when it is asked for. */
  show(name: keyof typeof METRICS, value: () => number): void {
    new Gauge({
      ...named(name),
      registers: [this.registry],
      collect() {
        this.set(value());
      },
    });
  }

  /** Shows numbers that are known elsewhere, by a label's values. */
  showBy(name: keyof typeof METRICS, label: string, values: () => Iterable<readonly [string, number]>): void {
    new Gauge({
      ...named(name),
      labelNames: [label],
      registers: [this.registry],
      collect() {
        for (const [value, number] of values()) this.set({ [label]: value }, number);
      },
    });
  }
}

function named(name: keyof typeof METRICS): { name: string; help: string } {
  return { name, help: METRICS[name] };
}
