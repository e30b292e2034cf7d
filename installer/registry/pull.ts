import { KeywayError, reason } from "../../shared/errors.ts";
import { fileInTar } from "./archive.ts";
import type { Repository } from "./client.ts";
import { MODULE_FILE, sha256 } from "./image.ts";
import { DOCKER_LAYER, LAYER, WASM_LAYER } from "./media.ts";
import { type ImageName, pinned } from "./name.ts";

export interface PulledModule {
  /** The digest of the manifest. */
  digest: string;
  module: Uint8Array<ArrayBuffer>;
  annotations: Record<string, string>;
}

interface Manifest {
  layers?: { mediaType: string; digest: string }[];
  annotations?: Record<string, string>;
}

/** The module that Istio's agent would take out of an image: plugin.wasm in the last layer, or the Wasm layer of an artifact
 * that has exactly two. */
export async function pullModule(repository: Repository, name: ImageName): Promise<PulledModule> {
  const bytes = await repository.manifest(name.digest ?? name.tag ?? "latest");
  const digest = sha256(bytes);
  const where = pinned(name, digest);
  const refuse = (what: string) =>
    new KeywayError(what, { where, next: "publish the module with `keyway publish`, and use the URL that it prints" });
  const { layers = [], annotations = {} } = parse(bytes) ?? {};
  const last = layers.at(-1);
  const wasm = layers.length === 2 ? layers.find(({ mediaType }) => mediaType === WASM_LAYER) : undefined;
  if (wasm) return { digest, module: copy(await repository.blob(wasm.digest)), annotations };
  if (!last || (last.mediaType !== LAYER && last.mediaType !== DOCKER_LAYER)) throw refuse("the image holds no module");
  const archive = await repository.blob(last.digest);
  let module: Buffer | undefined;
  try {
    module = fileInTar(archive, MODULE_FILE);
  } catch (cause) {
    throw refuse(`the image's last layer can't be unpacked: ${reason(cause)}`);
  }
  if (!module) throw refuse(`the image's last layer holds no ${MODULE_FILE}`);
  return { digest, module: copy(module), annotations };
}

function parse(bytes: Buffer): Manifest | undefined {
  try {
    return JSON.parse(bytes.toString("utf8")) as Manifest;
  } catch {
    return undefined;
  }
}

function copy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
