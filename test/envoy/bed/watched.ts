// A discovery response in a file that Envoy watches: the file-based form of LDS, CDS and ECDS.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class Watched {
  readonly #directory = mkdtempSync(join(tmpdir(), "keyway-xds-"));
  #version = 0;

  /** What goes where Envoy's configuration wants a config source. */
  get source(): object {
    return { path_config_source: { path: join(this.#directory, "current.json") }, resource_api_version: "V3" };
  }

  /** Envoy looks only when a file is moved to the watched path, and so never sees half of one. */
  write(type: string, resources: object[]): void {
    const next = join(this.#directory, "next.json");
    const typed = resources.map((resource) => ({ "@type": `type.googleapis.com/${type}`, ...resource }));
    writeFileSync(next, JSON.stringify({ version_info: String(++this.#version), resources: typed }));
    renameSync(next, join(this.#directory, "current.json"));
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
