import { compileRoutes } from "../../routes/compiling/compile.ts";
import type { LiveTable } from "../../routes/model/model.ts";
import { podPort } from "../../routes/model/service.ts";
import { parseRouteFile } from "../../routes/reading/route-file.ts";
import { UsageError } from "../../shared/errors.ts";
import { readInput, withFileErrors } from "../../shared/input.ts";
import type { Io } from "../../shared/io.ts";
import type { Listed } from "../../shared/services/services.ts";
import { warnOfExpired } from "../cli/expired.ts";
import { type InstallationFlags, scopeOf } from "../cli/flags.ts";
import { progress } from "../cli/progress.ts";
import {
  type Baseline,
  defaultPriority,
  type Installation,
  type PluginConfig,
  tableOf,
} from "../manifests/installation.ts";
import { ISTIO_NAMESPACE } from "../manifests/names.ts";
import type { DesiredState } from "../plan/versions.ts";
import { servicesBefore } from "../services/scope.ts";
import { goneTargets } from "./gone.ts";
import { liveTable } from "./live-table.ts";
import { remarksOnEdge } from "./remarks.ts";

const DOMAIN = "cluster.local";

export interface Place {
  cluster: Listed;
  namespace: string;
  name: string;
  istioNamespace?: string;
}

/** The desired state: what the flags say, else what is installed already, else the default. */
export async function desiredState(
  flags: InstallationFlags,
  place: Place,
  live: Installation | undefined,
  io: Io,
): Promise<DesiredState> {
  const scope = scopeOf(flags) ?? live?.scope ?? { labels: {} };
  const mode = flags.mode ?? live?.mode ?? ("gateway" in scope ? "gateway" : "inbound");
  if ("gateway" in scope && mode !== "gateway")
    throw new UsageError("--target-ref goes with --mode gateway alone", {
      next: "say --mode gateway, or name workloads with --selector",
    });
  const module = flags.module ?? live?.module;
  if (module === undefined) {
    throw new UsageError("which module? --module is missing", {
      next: "`keyway publish oci://HOST/REPO:TAG` prints the URL to give here",
    });
  }
  const phase = flags.phase ?? live?.phase;
  const served = flags.served ?? live?.served;
  const cacheable = flags.cacheable ?? live?.cacheable;
  const pullSecret = flags.imagePullSecret ?? live?.pullSecret;
  const { namespace, cluster, istioNamespace = ISTIO_NAMESPACE } = place;
  // There the selector is for workloads of all namespaces, and no service stands before all of them.
  const surely = mode === "both" && namespace === istioNamespace ? { labels: {} } : scope;
  const { config, ...baselines } =
    flags.routes === undefined
      ? { config: live?.config ?? {} }
      : await readRoutes(flags.routes, { mode, scope: surely }, { ...place, live }, io);
  for (const remark of remarksOnEdge({ config, mode })) progress(io).warn(remark);
  const surroundings = { cluster, domain: DOMAIN, installed: tableOf(live) };
  const table = await liveTable(flags, { mode, scope: surely, namespace }, surroundings, io);
  return {
    name: place.name,
    namespace,
    mode,
    scope,
    module,
    config: withTable(config, table),
    ...baselines,
    failStrategy: flags.failStrategy ?? live?.failStrategy ?? "FAIL_OPEN",
    priority: flags.priority ?? live?.priority ?? defaultPriority(scope),
    ...(phase === undefined ? {} : { phase }),
    ...(pullSecret === undefined ? {} : { pullSecret }),
    ...(served === undefined ? {} : { served }),
    ...(cacheable === true && { cacheable }),
  };
}

function withTable({ table: _, ...config }: PluginConfig, table: LiveTable | undefined): PluginConfig {
  return table === undefined ? config : { ...config, table };
}

async function readRoutes(
  path: string,
  { mode, scope }: Pick<Installation, "mode" | "scope">,
  { cluster, namespace, live }: Place & { live: Installation | undefined },
  io: Io,
): Promise<{ config: PluginConfig; baselines: Baseline[] }> {
  const [{ servicesFor }, { hostsFor }] = await Promise.all([
    import("../../shared/services/services.ts"),
    import("../../shared/services/hosts.ts"),
  ]);
  const text = await readInput(path, io);
  const file = withFileErrors(path, () => parseRouteFile(text));
  warnOfExpired(path, file, io);
  const present = await servicesFor(cluster, file, namespace);
  const services = [...present, ...goneTargets(live, present)];
  const hosts = await hostsFor(cluster, file, services, namespace);
  const own = mode === "both" && "labels" in scope ? await servicesBefore(cluster, namespace, scope.labels) : [];
  const { configuration, uses } = withFileErrors(path, () =>
    compileRoutes(file, { mode, namespace, domain: DOMAIN, services, own, ...(hosts && { hosts }) }),
  );
  // Not `strict`: a proxy that starts with a configuration that the filter refuses answers every request with 500.
  const { strict: _, explain, ...rest } = configuration;
  const config = { ...rest, ...(explain && { explain }) };
  const baselines = uses
    .filter(({ role }) => role === "baseline")
    .flatMap(({ service, port }) => {
      return service ? [{ name: service.name, namespace: service.namespace, port: podPort(port) ?? port.port }] : [];
    });
  return { config, baselines };
}
