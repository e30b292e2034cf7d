import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Feed } from "./feed/feed.ts";
import type { State } from "./state/state.ts";
import type { Store } from "./store/store.ts";

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
  keyway_server_amalgam8_rules: "Rules that Amalgam8's clients have set",
  keyway_server_amalgam8_instances: "Instances that have registered with Amalgam8's registry",
  keyway_server_store_up: "1 while the store can be read and written",
} as const;

/** What the numbers are of that others keep. */
export interface Observed {
  state: Pick<State, "size" | "revision">;
  feed: Pick<Feed, "waiting" | "tables" | "counts">;
  store: Pick<Store, "trouble">;
  /** The server that proxies and clients are connected to. */
  connections: () => number;
}

/** The numbers that others keep, as they are when they are asked for. */
const KEPT_BY_OTHERS = {
  keyway_server_routes: ({ state }) => state.size,
  keyway_server_revision: ({ state }) => state.revision,
  keyway_server_connections: ({ connections }) => connections(),
  keyway_server_polls: ({ feed }) => feed.waiting,
  keyway_server_tables: ({ feed }) => feed.tables.length,
  keyway_server_pages: ({ feed }) => feed.counts.pages,
  keyway_server_page_bytes: ({ feed }) => feed.counts.bytes,
  keyway_server_resets: ({ feed }) => feed.counts.resets,
  keyway_server_store_up: ({ store }) => (store.trouble() === undefined ? 1 : 0),
} satisfies { [Name in keyof typeof METRICS]?: (of: Observed) => number };

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

  /** Shows the numbers that others keep. */
  observe(of: Observed): void {
    for (const [name, value] of Object.entries(KEPT_BY_OTHERS))
      this.show(name as keyof typeof METRICS, () => value(of));
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
