// A real Envoy with the filter and with services behind it, for one test file.

import type { Bootstrap } from "../../../scripts/proxy/bootstrap.ts";
import { type Envoy, run } from "../../../scripts/proxy/run.ts";
import { serve, type Upstream } from "../../../scripts/proxy/upstream.ts";
import { bootstrap, type Configuration } from "./bootstrap.ts";
import { type Answer, type Ask, ask, everywhere } from "./client.ts";
import { metrics } from "./metrics.ts";

// A test runner ends its workers by signal, on which no exit hook runs by itself: run() stops Envoy on exit.
process.once("SIGTERM", () => process.exit());

export type BedSetup = {
  config: Configuration;
  baselines?: Record<string, string>;
  /** Clusters beside the baselines; each is a service that answers with its name. */
  targets?: string[];
  concurrency?: number;
  /** Last changes to the configuration that Envoy starts with. */
  change?: (bootstrap: Bootstrap, ports: Record<string, number>) => void;
};

export class Bed {
  readonly envoy: Envoy;
  readonly #upstreams: Upstream[];

  constructor(envoy: Envoy, upstreams: Upstream[]) {
    this.envoy = envoy;
    this.#upstreams = upstreams;
  }

  get port(): number {
    return this.envoy.ports.web as number;
  }

  ask(what: Ask = {}): Promise<Answer> {
    return ask(this.port, what);
  }

  /** A request with one key in the default header. */
  keyed(key: string, what: Ask = {}): Promise<Answer> {
    return this.ask({ ...what, headers: [...Object.entries(what.headers ?? {}), ["x-routing-key", key]] });
  }

  everywhere(what: Ask = {}): Promise<Set<string>> {
    return everywhere(this.port, what);
  }

  metrics(): Promise<Record<string, number>> {
    return metrics(this.envoy);
  }

  async stop(): Promise<void> {
    await this.envoy.stop();
    await Promise.all(this.#upstreams.map((upstream) => upstream.stop()));
  }
}

export async function startBed({ baselines = { "/": "reviews" }, targets = [], ...setup }: BedSetup): Promise<Bed> {
  const names = [...new Set([...Object.values(baselines), ...targets])];
  const upstreams = await Promise.all(names.map((name) => serve(name)));
  const ports = Object.fromEntries(upstreams.map(({ name, port }) => [name, port]));
  const made = bootstrap({ config: setup.config, baselines, ports });
  setup.change?.(made, ports);
  const envoy = await run(made, setup.concurrency === undefined ? {} : { concurrency: setup.concurrency });
  return new Bed(envoy, upstreams);
}
