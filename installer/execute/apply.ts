import { ApiError } from "../../shared/cluster/api-errors.ts";
import type { ApplyOptions, Cluster } from "../../shared/cluster/cluster.ts";
import { type KubeObject, refOf, title } from "../../shared/cluster/object.ts";
import { KeywayError, reason } from "../../shared/errors.ts";
import type { Progress } from "../cli/progress.ts";
import { sameContents, withoutBookkeeping } from "../manifests/contents.ts";
import { refuseForeign } from "../manifests/ownership.ts";

interface OwnedOptions extends ApplyOptions {
  /** Throws for what somebody else has made. */
  refuse?: (there: KubeObject) => void;
}

export interface Applied {
  /** The object as the API server keeps it. */
  object: KubeObject;
  /** As it was before; undefined when there was none. */
  before: KubeObject | undefined;
  outcome: "created" | "configured" | "unchanged";
}

/** An object to apply, and what was there when it was planned; undefined for nothing. */
export interface Planned {
  object: KubeObject;
  basedOn: KubeObject | undefined;
}

/** Applies one object as its owner, unless somebody else made the one that bears its name or has changed it since it was planned. */
export async function applyOwned(
  cluster: Cluster,
  { object, basedOn }: Planned,
  { refuse = refuseForeign, ...options }: OwnedOptions = {},
): Promise<Applied> {
  const before = await cluster.get(refOf(object));
  if (before !== undefined) refuse(before);
  if (!isSame(before, basedOn)) throw meanwhile(object);
  try {
    const after = await cluster.apply(atVersion(object, before), options);
    return { object: after, before, outcome: outcome(before, after) };
  } catch (thrown) {
    throw explainApply(thrown, object);
  }
}

/** Deletes one object, unless somebody else has changed it since it was read. One that is gone already is no failure. */
export async function removeOwned(cluster: Cluster, read: KubeObject, { dryRun = false } = {}): Promise<void> {
  const now = await cluster.get(refOf(read));
  if (now === undefined) return;
  if (!isSame(now, read)) throw meanwhile(read);
  try {
    await cluster.remove(refOf(read), now.metadata?.resourceVersion, dryRun);
  } catch (thrown) {
    throw explainApply(thrown, read);
  }
}

/** Takes back what was applied, in reverse order, whatever ended the command. What can't be taken back is reported as a warning, so that the
 * first failure stays the one that is thrown. */
export async function takeAllBack(cluster: Cluster, applied: readonly Applied[], steps: Progress): Promise<void> {
  const unhurried = cluster.withSignal(new AbortController().signal);
  for (const one of applied.toReversed()) {
    if (one.outcome === "unchanged") continue;
    try {
      await takeBack(unhurried, one);
      steps.done(`${title(one.object)} taken back`);
    } catch (thrown) {
      steps.warn(`${title(one.object)} could not be taken back: ${reason(thrown)}`);
    }
  }
}

/** What was made goes, and what was changed becomes what it was. */
export async function takeBack(cluster: Cluster, { object, before, outcome }: Applied): Promise<void> {
  if (outcome === "created") await cluster.remove(refOf(object));
  else if (outcome === "configured" && before !== undefined) {
    await cluster.apply(withoutBookkeeping(before), { force: true });
  }
}

/** Writes of controllers to status change the resource version and are nobody's edit, so the contents decide. */
function isSame(before: KubeObject | undefined, basedOn: KubeObject | undefined): boolean {
  if (before === undefined || basedOn === undefined) return before === basedOn;
  return sameContents(before, basedOn);
}

/** The API server refuses the object when the one that is there has another resource version. */
function atVersion(object: KubeObject, before: KubeObject | undefined): KubeObject {
  if (before?.metadata?.resourceVersion === undefined) return object;
  return { ...object, metadata: { ...object.metadata, resourceVersion: before.metadata.resourceVersion } };
}

/** A dry run's answer carries the resource version of what is there, so the contents decide. */
function outcome(before: KubeObject | undefined, after: KubeObject): Applied["outcome"] {
  if (before === undefined) return "created";
  return sameContents(before, after) ? "unchanged" : "configured";
}

function explainApply(thrown: unknown, object: KubeObject): unknown {
  if (!(thrown instanceof ApiError)) return thrown;
  if (thrown.isStale) return meanwhile(object, thrown);
  if (!thrown.isFieldConflict) return thrown;
  return new KeywayError(`others have changed fields of ${title(object)} that keyway would set: ${thrown.said}`, {
    where: title(object),
    next: "look with --diff, then take the fields back with --force-conflicts",
    cause: thrown,
  });
}

function meanwhile(object: KubeObject, cause?: unknown): KeywayError {
  return new KeywayError(`somebody else changed ${title(object)} meanwhile; nothing of theirs was overwritten`, {
    where: title(object),
    next: "look with `keyway status`, then run the same command again",
    cause,
  });
}
