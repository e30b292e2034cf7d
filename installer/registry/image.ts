import { createHash } from "node:crypto";
import { gzipStored, tarOf } from "./archive.ts";
import { CONFIG, LAYER, MANIFEST } from "./media.ts";

/** The file that Istio's agent looks for in the last layer. */
export const MODULE_FILE = "plugin.wasm";
export const MODULE_SHA256 = "dev.keyway.module.sha256";

export interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface Image {
  readonly manifest: Blob;
  readonly config: Blob;
  readonly layer: Blob;
}

export interface Provenance {
  version: string;
  /** The commit that the module was built from, when it is known. */
  revision?: string;
}

/** An OCI image with one layer that holds the module. Nothing but the arguments goes into it: same module, same digest. */
export function imageOf(module: Uint8Array, { version, revision }: Provenance): Image {
  const tar = tarOf(MODULE_FILE, module);
  const layer = blob(LAYER, gzipStored(tar));
  // Tools that copy images look for a platform that they know; the module runs on all of them.
  const config = blob(
    CONFIG,
    json({ architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: [sha256(tar)] } }),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: descriptor(config),
    layers: [descriptor(layer)],
    annotations: {
      "org.opencontainers.image.title": "keyway",
      "org.opencontainers.image.version": version,
      ...(revision !== undefined && { "org.opencontainers.image.revision": revision }),
      [MODULE_SHA256]: sha256(module).replace("sha256:", ""),
    },
  };
  return { manifest: blob(MANIFEST, json(manifest)), config, layer };
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function blob(mediaType: string, bytes: Uint8Array<ArrayBuffer>): Blob {
  return { mediaType, digest: sha256(bytes), bytes };
}

function descriptor({ mediaType, digest, bytes }: Blob) {
  return { mediaType, digest, size: bytes.length };
}

function json(value: unknown): Uint8Array<ArrayBuffer> {
  return Buffer.from(JSON.stringify(value));
}
