import { gunzipSync, gzipSync } from "node:zlib";
import { title } from "../../shared/cluster/object.ts";
import { KeywayError, reason } from "../../shared/errors.ts";
import type { Installation } from "./installation.ts";
import type { IWasmPlugin } from "./kinds.ts";
import { PREVIOUS_ANNOTATION } from "./names.ts";

/** Bytes that Kubernetes lets all annotations of one object hold together, less room for the others. */
const LIMIT = 250 * 1024;

/** The replaced version as text for the annotation, or undefined when it is too large to be kept. */
export function packPrevious(installation: Installation): string | undefined {
  const packed = gzipSync(JSON.stringify(installation)).toString("base64");
  return packed.length <= LIMIT ? packed : undefined;
}

/** The version that a rollback returns to. */
export function previousOf(plugin: IWasmPlugin): Installation | undefined {
  const packed = plugin.metadata?.annotations?.[PREVIOUS_ANNOTATION];
  if (packed === undefined) return undefined;
  try {
    return JSON.parse(gunzipSync(Buffer.from(packed, "base64")).toString()) as Installation;
  } catch (cause) {
    throw new KeywayError(
      `the previous version kept in annotation ${PREVIOUS_ANNOTATION} is damaged: ${reason(cause)}`,
      {
        where: title(plugin),
        next: "run `keyway upgrade --module URL` with the version you want",
        cause,
      },
    );
  }
}
