// The filter's configuration delivered over ECDS, as Istio delivers it.
import type { Listener, Plugin, Typed } from "../../../scripts/proxy/bootstrap.ts";
import type { Envoy } from "../../../scripts/proxy/run.ts";
import { type Configuration, encoded, httpFilter } from "./bootstrap.ts";
import { stats } from "./metrics.ts";
import { until } from "./until.ts";
import { Watched } from "./watched.ts";

const WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

export class Ecds {
  readonly #file = new Watched();
  readonly #typed: Typed & { config?: Plugin };

  /** Moves the filter of `listener` out of the configuration that Envoy starts with. */
  constructor(listener: Listener) {
    const filter = httpFilter(listener);
    this.#typed = filter.typed_config as Typed;
    this.#write(this.#typed);
    delete filter.typed_config;
    filter.config_discovery = { config_source: this.#file.source, type_urls: [WASM] };
  }

  /** Gives the filter another configuration and returns when Envoy has taken it over or refused it. */
  async update(
    envoy: Envoy,
    config: Configuration,
    change: (plugin: Plugin) => void = () => {},
  ): Promise<"taken" | "refused"> {
    const typed = structuredClone(this.#typed);
    const plugin = typed.config as Plugin;
    plugin.configuration = encoded(config);
    change(plugin);
    const before = await outcomes(envoy);
    this.#write(typed);
    const after = await until(
      "an answer to the update",
      () => outcomes(envoy),
      (now) => now.tried > before.tried,
    );
    return after.refused > before.refused ? "refused" : "taken";
  }

  remove(): void {
    this.#file.remove();
  }

  #write(typed: object): void {
    const resource = { name: "keyway", typed_config: typed };
    this.#file.write("envoy.config.core.v3.TypedExtensionConfig", [resource]);
  }
}

type Outcomes = { tried: number; refused: number };

async function outcomes(envoy: Envoy): Promise<Outcomes> {
  const prefix = "extension_config_discovery.http_filter.keyway.";
  const found = await stats(envoy, "^extension_config_discovery", prefix);
  return { tried: found.update_attempt ?? 0, refused: found.config_fail ?? 0 };
}
