import { sameContents } from "../manifests/contents.ts";
import type { Installation } from "../manifests/installation.ts";
import type { IWasmPlugin } from "../manifests/kinds.ts";
import { PREVIOUS_ANNOTATION } from "../manifests/names.ts";
import { packPrevious } from "../manifests/previous.ts";
import { LARGEST_OBJECT, objectSize } from "../manifests/size.ts";
import { wasmPlugin } from "../manifests/wasmplugin.ts";

/** An installation as it should be, without the version that it gets when it differs from what is there. */
export type DesiredState = Omit<Installation, "version">;

export interface NextVersion {
  installation: Installation;
  plugin: IWasmPlugin;
  /** Nothing differs from what is there. */
  unchanged: boolean;
  /** False when the version before is too large to be kept beside this one. */
  canRollBack: boolean;
}

/** Gives a desired state its version: the live one when nothing differs, else a new one that keeps the live one behind it. */
export function nextVersion(
  desired: DesiredState,
  live: Installation | undefined,
  kept: string | undefined,
  { now, renew = false }: { now: Date; renew?: boolean },
): NextVersion {
  if (live === undefined) {
    const installation = { ...desired, version: seconds(now) };
    return { installation, plugin: wasmPlugin(installation), canRollBack: true, unchanged: false };
  }
  const same = sameInstallation({ ...desired, version: live.version }, live);
  const later = Math.max(seconds(now), live.version + 1);
  const installation = { ...desired, version: same && !renew ? live.version : later };
  const previous = same ? kept : packPrevious(live);
  const plugin = wasmPlugin(installation);
  const whole = withPrevious(plugin, previous);
  const fits = objectSize(whole) <= LARGEST_OBJECT;
  return {
    installation,
    plugin: fits ? whole : plugin,
    canRollBack: same || (fits && previous !== undefined),
    unchanged: same && !renew,
  };
}

function seconds(now: Date): number {
  return Math.floor(now.getTime() / 1000);
}

function sameInstallation(a: Installation, b: Installation): boolean {
  return sameContents(wasmPlugin(a), wasmPlugin(b));
}

function withPrevious(plugin: IWasmPlugin, previous: string | undefined): IWasmPlugin {
  if (previous === undefined) return plugin;
  const annotations = { ...plugin.metadata?.annotations, [PREVIOUS_ANNOTATION]: previous };
  return { ...plugin, metadata: { ...plugin.metadata, annotations } };
}
