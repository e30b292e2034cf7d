import { targetsAddressable } from "./addresses.ts";
import { callersAdmitted } from "./callers.ts";
import type { Check } from "./check.ts";
import { apiAnswers, istioKinds, rightsHeld } from "./cluster.ts";
import type { CheckContext } from "./context.ts";
import { inboundOwn } from "./inbound.ts";
import { istiodNew, proxiesNew } from "./istio.ts";
import { guardThere, versionLoaded } from "./loaded.ts";
import { moduleLoads, modulePulled } from "./module.ts";
import { namesFree, neighboursQuiet, routesApart } from "./neighbours.ts";
import { behindPolicies } from "./order.ts";
import { gatewayExists, namesAllowed, namespaceExists } from "./places.ts";
import { pluginThere } from "./plugin.ts";
import { routesKept } from "./routes-kept.ts";
import { serverAdmits, serverExists, serverSeen } from "./server.ts";
import { portsUnshared } from "./shared-port.ts";
import { objectsFit } from "./size.ts";
import { protocolsDeclared, targetsExist, targetsSeen } from "./targets.ts";
import { tokensSeen } from "./tokens.ts";
import { tracesBothWays } from "./trace.ts";
import { moduleUnderstands } from "./understands.ts";
import { workloadsSelected } from "./workloads.ts";

type Checks = readonly Check<CheckContext>[];

/** What any installation needs of a cluster. */
export const ofCluster: Checks = [apiAnswers, namesAllowed, namespaceExists, rightsHeld, istioKinds, istiodNew];

/** What must hold of one installation, before it and after. */
export const ofInstallation: Checks = [
  ...ofCluster,
  namesFree,
  gatewayExists,
  behindPolicies,
  objectsFit,
  modulePulled,
  moduleLoads,
  moduleUnderstands,
  workloadsSelected,
  inboundOwn,
  portsUnshared,
  proxiesNew,
  neighboursQuiet,
  routesApart,
  targetsExist,
  targetsAddressable,
  targetsSeen,
  protocolsDeclared,
  callersAdmitted,
  tokensSeen,
  tracesBothWays,
  serverExists,
  serverSeen,
  serverAdmits,
];

export const afterInstallation: Checks = [...ofInstallation, guardThere, versionLoaded, routesKept];

/** What is left to check where somebody took the WasmPlugin of an installation away. */
export const ofRemains: Checks = [...ofCluster, pluginThere];

/** The ids that `--ignore` takes. */
export const checkIds: readonly string[] = [...afterInstallation, pluginThere].map(({ id }) => id);
