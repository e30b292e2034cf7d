// Puts a server into a cluster, or changes it: everything is tried before the first write, and taken back where a later one fails.
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { type KubeObject, refOf, title } from "../../shared/cluster/object.ts";
import type { Progress } from "../cli/progress.ts";
import { type Applied, applyOwned, type Planned, removeOwned, takeAllBack } from "../execute/apply.ts";
import { definitionObjects, namespaceOf, serverObjects } from "../manifests/server/objects.ts";
import type { ServerChoice } from "../manifests/server/server.ts";
import { leftRights } from "./left-rights.ts";
import { isShared, refuseOthers } from "./ownership.ts";

export interface ServerPlan {
  choice: ServerChoice;
  steps: Planned[];
  /** The namespace is to be made, so that what goes into it can't be tried. */
  makesNamespace: boolean;
  /** Rights that the server had and does not take any more. */
  left: KubeObject[];
}

/** All objects of the server, with what is there. A namespace that is there already stays as it is. Throws where somebody else's object has the name
 * of one of them. */
export async function planServer(cluster: Cluster, choice: ServerChoice): Promise<ServerPlan> {
  const namespace = namespaceOf(choice);
  const home = await cluster.get(refOf(namespace));
  const objects = [...definitionObjects(), ...serverObjects(choice)];
  const steps = await Promise.all(
    objects.map(async (object) => {
      const basedOn = await cluster.get(refOf(object));
      return { object: basedOn === undefined ? object : asFound(object, basedOn), basedOn };
    }),
  );
  for (const { basedOn } of steps) if (basedOn !== undefined) refuseOthers(choice.namespace)(basedOn);
  const makesNamespace = home === undefined;
  return {
    choice,
    steps: makesNamespace ? [{ object: namespace, basedOn: undefined }, ...steps] : steps,
    makesNamespace,
    left: await leftRights(cluster, choice, objects),
  };
}

/** Custom resources that somebody else has put there stay theirs, so that they outlive the server: the label says whose they are. */
function asFound(object: KubeObject, there: KubeObject): KubeObject {
  if (object.kind !== "CustomResourceDefinition" || isShared(there)) return object;
  const { labels: _, ...metadata } = object.metadata ?? {};
  return { ...object, metadata };
}

/** What the API server would make of each object that it can be asked about. */
export async function rehearseServer(cluster: Cluster, plan: ServerPlan, force: boolean): Promise<Applied[]> {
  const refuse = refuseOthers(plan.choice.namespace);
  const askable = plan.steps.filter(({ object }) => !(plan.makesNamespace && object.metadata?.namespace));
  return Promise.all(askable.map((step) => applyOwned(cluster, step, { dryRun: true, force, refuse })));
}

export async function applyServer(
  cluster: Cluster,
  plan: ServerPlan,
  { force, steps }: { force: boolean; steps: Progress },
): Promise<Applied[]> {
  await rehearseServer(cluster, plan, force);
  const refuse = refuseOthers(plan.choice.namespace);
  const applied: Applied[] = [];
  try {
    for (const step of plan.steps) {
      steps.update(`applying ${title(step.object)}`);
      const one = await applyOwned(cluster, step, { force, refuse });
      applied.push(one);
      if (one.outcome !== "unchanged") steps.done(`${title(one.object)} ${one.outcome}`);
    }
  } catch (thrown) {
    await takeAllBack(cluster, applied, steps);
    throw thrown;
  }
  for (const object of plan.left) {
    await removeOwned(cluster, object);
    steps.done(`${title(object)} deleted`);
  }
  return applied;
}

/** What differs between the live objects and what the plan would make of them. */
export async function planned(
  cluster: Cluster,
  plan: ServerPlan,
  force: boolean,
): Promise<{ before: KubeObject | undefined; after: KubeObject }[]> {
  const rehearsed = await rehearseServer(cluster, plan, force);
  const tried = new Map(rehearsed.map(({ object, before }) => [title(object), { before, after: object }]));
  return plan.steps.map(({ object, basedOn }) => tried.get(title(object)) ?? { before: basedOn, after: object });
}
