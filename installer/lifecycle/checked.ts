import type { Cluster } from "../../shared/cluster/cluster.ts";
import { KeywayError } from "../../shared/errors.ts";
import type { Io } from "../../shared/io.ts";
import { TimeIsUp } from "../../shared/net/limit.ts";
import type { Check } from "../check/check.ts";
import { afterInstallation, ofCluster, ofInstallation, ofRemains } from "../check/checks.ts";
import type { CheckContext } from "../check/context.ts";
import { pinModule } from "../check/module.ts";
import { workloadsSelected } from "../check/workloads.ts";
import { type ClusterFlags, type InstallationFlags, scopeOf } from "../cli/flags.ts";
import { readFilter } from "../manifests/envoyfilter.ts";
import { defaultPriority, type Installation, type Live } from "../manifests/installation.ts";
import { desiredState } from "./desired.ts";
import { readLive } from "./installed.ts";

interface Asked extends InstallationFlags, ClusterFlags {
  name: string;
  insecure?: boolean;
}

export interface ToCheck {
  installation: Installation;
  /** What this would replace. */
  live?: Installation | undefined;
  checks: readonly Check<CheckContext>[];
}

/** What `keyway check` checks: a planned installation, the present one or what is left of it, or, where nothing exists, the cluster alone. */
export async function whatToCheck(flags: Asked, cluster: Cluster, io: Io): Promise<ToCheck> {
  const { name, istioNamespace } = flags;
  const place = { cluster, namespace: flags.namespace ?? cluster.namespace, name, istioNamespace };
  const { installation: live, filter } = await liveOrNone(place);
  const described = [flags.module, flags.routes, flags.server].some((said) => said !== undefined);
  if (!described && live !== undefined) return { installation: live, checks: afterInstallation };
  if (!described && filter !== undefined) {
    return { installation: { ...nothing(flags, place), ...readFilter(filter) }, checks: ofRemains };
  }
  if (flags.module === undefined && live === undefined) {
    return {
      installation: nothing(flags, place),
      checks: scopeOf(flags) ? [...ofCluster, workloadsSelected] : ofCluster,
    };
  }
  const desired = await desiredState(flags, place, live, io);
  const module = await pinModule(desired.module, flags, io);
  return { installation: { ...desired, module, version: 0 }, live, checks: ofInstallation };
}

/** A cluster that can't be read is reported by the checks. */
async function liveOrNone(place: { cluster: Cluster; namespace: string; name: string }): Promise<Partial<Live>> {
  try {
    return await readLive(place.cluster, place.namespace, place.name);
  } catch (thrown) {
    if (!(thrown instanceof KeywayError) || thrown instanceof TimeIsUp) throw thrown;
    return {};
  }
}

function nothing(flags: Asked, { namespace, name }: { namespace: string; name: string }): Installation {
  const scope = scopeOf(flags) ?? { labels: {} };
  return {
    name,
    namespace,
    mode: "inbound",
    scope,
    module: "",
    version: 0,
    config: {},
    failStrategy: "FAIL_OPEN",
    priority: defaultPriority(scope),
  };
}
