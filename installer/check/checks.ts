import type { Check } from "./check.ts";
import { apiAnswers, istioKinds, rightsHeld } from "./cluster.ts";
import type { CheckContext } from "./context.ts";
import { inboundOwn } from "./inbound.ts";
import { istiodNew, proxiesNew } from "./istio.ts";
import { versionLoaded } from "./loaded.ts";
import { moduleLoads, modulePulled } from "./module.ts";
import { namesFree, neighboursQuiet, routesApart } from "./neighbours.ts";
import { objectsFit } from "./size.ts";
import { protocolsDeclared, targetsExist, targetsSeen } from "./targets.ts";
import { moduleUnderstands } from "./understands.ts";
import { workloadsSelected } from "./workloads.ts";

type Checks = readonly Check<CheckContext>[];

/** What any installation needs of a cluster. */
export const ofCluster: Checks = [apiAnswers, rightsHeld, istioKinds, istiodNew];

/** What must hold of one installation, before it and after. */
export const ofInstallation: Checks = [
  ...ofCluster,
  namesFree,
  objectsFit,
  modulePulled,
  moduleLoads,
  moduleUnderstands,
  workloadsSelected,
  inboundOwn,
  proxiesNew,
  neighboursQuiet,
  routesApart,
  targetsExist,
  targetsSeen,
  protocolsDeclared,
];

export const afterInstallation: Checks = [...ofInstallation, versionLoaded];

/** The ids that `--ignore` takes. */
export const checkIds: readonly string[] = afterInstallation.map(({ id }) => id);
