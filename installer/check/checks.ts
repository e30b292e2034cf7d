import type { Condition } from "./check.ts";
import { apiAnswers, istioKinds, rightsHeld } from "./cluster.ts";
import type { Facts } from "./context.ts";
import { inboundOwn } from "./inbound.ts";
import { istiodNew, proxiesNew } from "./istio.ts";
import { versionLoaded } from "./loaded.ts";
import { moduleLoads, modulePulled } from "./module.ts";
import { namesFree, neighboursQuiet, routesApart } from "./neighbours.ts";
import { protocolsDeclared, targetsExist, targetsSeen } from "./targets.ts";
import { workloadsSelected } from "./workloads.ts";

type Conditions = readonly Condition<Facts>[];

/** What any installation needs of a cluster. */
export const ofCluster: Conditions = [apiAnswers, rightsHeld, istioKinds, istiodNew];

/** What must hold of one installation, before it and after. */
export const ofInstallation: Conditions = [
  ...ofCluster,
  namesFree,
  modulePulled,
  moduleLoads,
  workloadsSelected,
  inboundOwn,
  proxiesNew,
  neighboursQuiet,
  routesApart,
  targetsExist,
  targetsSeen,
  protocolsDeclared,
];

export const afterInstallation: Conditions = [...ofInstallation, versionLoaded];
