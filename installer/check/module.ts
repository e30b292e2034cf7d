import { setTimeout as pause } from "node:timers/promises";
import { moduleFaults } from "../../scripts/module.ts";
import { KeywayError, reason, UsageError } from "../cli/errors.ts";
import type { Io } from "../cli/io.ts";
import { fileInTar } from "../registry/archive.ts";
import { Repository } from "../registry/client.ts";
import { findCredentials } from "../registry/credentials.ts";
import { MODULE_FILE, sha256 } from "../registry/image.ts";
import { WASM_LAYER } from "../registry/media.ts";
import { type ImageName, parseImageName, pinned } from "../registry/name.ts";
import { Transport } from "../registry/transport.ts";
import type { Condition } from "./condition.ts";
import type { Facts } from "./facts.ts";

/** A repository, as the person who runs the command may read it. */
export async function openRepository(name: ImageName, insecure: boolean, io: Io): Promise<Repository> {
  const transport = new Transport({
    host: name.host,
    insecure,
    credentials: await findCredentials(name.host, {}, io),
    signal: io.signal,
    pause: (ms) => pause(ms, undefined, { signal: io.signal }),
    retrying: () => {},
  });
  return new Repository(transport, name);
}

/** The same module under a URL that can't come to mean another: a tag is looked up once and for all. */
export async function pinModule(url: string, insecure: boolean, io: Io): Promise<string> {
  const name = parseImageName(url);
  if (name.digest !== undefined) return pinned(name, name.digest);
  if (name.tag === undefined) {
    throw new UsageError(`${url} names no version`, {
      next: "give the URL that `keyway publish` printed, with its @sha256:",
    });
  }
  const repository = await openRepository(name, insecure, io);
  return pinned(name, sha256(await repository.manifest(name.tag)));
}

export const modulePulled: Condition<Facts> = {
  id: "module-pull",
  description: "the module can be pulled by its digest",
  severity: "fatal",
  hint: "publish it with `keyway publish`, and give the URL that it prints",
  async examine(facts) {
    const module = await pulledModule(facts);
    return { holds: true, detail: `${facts.installation.module}, ${module.length} bytes` };
  },
};

export const moduleLoads: Condition<Facts> = {
  id: "module-loads",
  description: "the module instantiates with what Envoy provides",
  severity: "fatal",
  hint: "build it with `keyway build`, and publish that",
  needs: ["module-pull"],
  async examine(facts) {
    const faults = moduleFaults(new Uint8Array(await pulledModule(facts)));
    return faults.length === 0 ? { holds: true } : { holds: false, detail: faults.join("\n") };
  },
};

function pulledModule(facts: Facts): Promise<Buffer> {
  return facts.once("module", async () => {
    const name = parseImageName(facts.installation.module);
    const repository = await openRepository(name, facts.insecure, facts.io);
    return pullModule(repository, name);
  });
}

interface Manifest {
  layers?: { mediaType: string; digest: string }[];
}

/** The module as Istio's agent takes it: from the Wasm layer of two, or out of the last layer's archive. */
async function pullModule(repository: Repository, { host, repository: path, digest = "" }: ImageName): Promise<Buffer> {
  const where = `oci://${host}/${path}@${digest}`;
  const { layers = [] } = JSON.parse((await repository.manifest(digest)).toString()) as Manifest;
  const bare = layers.length === 2 ? layers.find(({ mediaType }) => mediaType === WASM_LAYER) : undefined;
  const layer = bare ?? layers.at(-1);
  if (layer === undefined) throw new KeywayError("the image has no layer", { where });
  const bytes = await repository.blob(layer.digest);
  if (bare !== undefined) return bytes;
  try {
    const module = fileInTar(bytes, MODULE_FILE);
    if (module !== undefined) return module;
  } catch (cause) {
    throw new KeywayError(`the image's last layer can't be unpacked: ${reason(cause)}`, { where, cause });
  }
  throw new KeywayError(`the image's last layer holds no ${MODULE_FILE}, which Istio's agent looks for`, { where });
}
