import { type Extras, envoyFilter } from "../manifests/envoyfilter.ts";
import { type Live, versionText } from "../manifests/installation.ts";
import { PREVIOUS_ANNOTATION } from "../manifests/names.ts";
import type { Plan } from "./plan.ts";
import { type DesiredState, type NextVersion, nextVersion } from "./versions.ts";

export interface InstallationPlan extends Plan {
  next: NextVersion;
}

export interface PlanOptions extends Extras {
  now: Date;
  recoveryHint: string;
  /** Make a new version although nothing differs, so that istiod tells the proxies anew. */
  renew?: boolean;
}

/** The way from what is installed to what is desired. The guard route comes first: alone it matches no request, whereas a
 * filter that selects before its route is there would let the selection header through to the baseline. */
export function planInstallation(desired: DesiredState, live: Live, options: PlanOptions): InstallationPlan {
  const kept = live.plugin?.metadata?.annotations?.[PREVIOUS_ANNOTATION];
  const next = nextVersion(desired, live.installation, kept, options);
  const { installation, plugin, canRollBack } = next;
  return {
    next,
    name: installation.name,
    namespace: installation.namespace,
    steps: [
      { do: "apply", object: envoyFilter(installation, options), basedOn: live.filter },
      { do: "wait", until: { is: "guarded", mode: installation.mode, twins: options.twins }, what: "the routes" },
      { do: "apply", object: plugin, basedOn: live.plugin },
      {
        do: "wait",
        until: { is: "loaded", version: installation.version },
        what: `version ${versionText(installation.version)}`,
      },
    ],
    warnings: canRollBack
      ? []
      : ["the version before is too large to be kept: there will be no way back by --rollback"],
    recoveryHint: options.recoveryHint,
  };
}
