// Kubernetes has no transactions: several objects are tried first, then written, and taken back where one of them fails all the same.
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { atOnce } from "../at-once.ts";
import { KeywayError, reason } from "../errors.ts";
import { statusOf, wasNeverSent } from "./api-errors.ts";
import type { Cluster } from "./cluster.ts";
import { type KubeObject, type Meta, qualified, type Ref, title } from "./object.ts";

/** An object that has a spec, and nothing else that matters. */
export type Specified = KubeObject & { spec?: unknown };

/** One object to write. */
export interface ObjectWrite<T extends Specified> {
  ref: Ref;
  /** As it was read; undefined where there was none. */
  before: T | undefined;
  /** As it is to be; undefined for a deletion. */
  wanted: T | undefined;
}

export interface WriteOptions {
  /** `replace` writes over the version that was read alone; `apply` sets the fields that are said, whoever has changed them. */
  way: "replace" | "apply";
  /** How long taking back is tried, in milliseconds. */
  takeBackMs?: number;
  retryMs?: number;
  /** Called after each write. */
  done?: () => void;
}

/** A write has failed, and what was written before it can't be taken back. */
export class PartlyWritten extends KeywayError {
  override name = "PartlyWritten";
}

/** More objects than can be written together. Nothing is. */
export class TooMany extends KeywayError {
  override name = "TooMany";
}

/**
 * Objects that are written together, at most. They are written one by one, some hundreds a second, and must be taken back before whoever waits
 * gives up.
 */
export const MOST_OBJECTS = 5000;

interface Done<T extends Specified> extends ObjectWrite<T> {
  /** What the API server has now; "unknown" where its answer was lost. */
  after: T | undefined | "unknown";
}

const AT_ONCE = 16;
const TAKE_BACK_MS = 10_000;
const RETRY_MS = 500;

/**
 * Writes all of the objects or, as far as the API server lets it, none. The answer has them as they are now, in order. Throws TooMany, what has
 * failed, or PartlyWritten where objects may be written all the same.
 */
export async function writeTogether<T extends Specified>(
  cluster: Cluster,
  writes: readonly ObjectWrite<T>[],
  options: WriteOptions,
): Promise<(T | undefined)[]> {
  if (writes.length > MOST_OBJECTS) {
    throw new TooMany(
      `${writes.length} objects can't be written to Kubernetes in one transaction, which has no transactions and takes them one by one; ${MOST_OBJECTS} can`,
      { where: cluster.server, next: `send them in parts of at most ${MOST_OBJECTS}` },
    );
  }
  const done: Done<T>[] = [];
  try {
    if (writes.length > 1) await atOnce(AT_ONCE, writes, (one) => write(cluster, one, options, true));
    return await atOnce(AT_ONCE, writes, async (one) => {
      const after = await carryOut(cluster, one, options, done);
      options.done?.();
      return after;
    });
  } catch (thrown) {
    // One write is whole, whether it was carried out or not.
    const left = writes.length > 1 ? await takeBack(cluster, done, options) : done;
    if (left.length === 0) throw thrown;
    throw partlyWritten(thrown, left, cluster.server);
  }
}

/** What is written is noted among what is done; so is a write whose answer was lost, as it may be. */
async function carryOut<T extends Specified>(
  cluster: Cluster,
  one: ObjectWrite<T>,
  options: WriteOptions,
  done: Done<T>[],
): Promise<T | undefined> {
  try {
    const after = await write(cluster, one, options, false);
    done.push({ ...one, after });
    return after;
  } catch (thrown) {
    const status = statusOf(thrown);
    if (status === undefined ? !wasNeverSent(thrown) : status >= 500) done.push({ ...one, after: "unknown" });
    throw thrown;
  }
}

async function write<T extends Specified>(
  cluster: Cluster,
  { ref, before, wanted }: ObjectWrite<T>,
  { way }: WriteOptions,
  dryRun: boolean,
): Promise<T | undefined> {
  if (wanted === undefined) {
    await cluster.remove(ref, before?.metadata?.resourceVersion, dryRun);
    return undefined;
  }
  if (way === "apply") return cluster.apply(wanted, { dryRun, force: true });
  return before ? cluster.replace(wanted, dryRun) : cluster.create(wanted, dryRun);
}

/** Those that may be written all the same. */
async function takeBack<T extends Specified>(
  cluster: Cluster,
  done: readonly Done<T>[],
  { way, takeBackMs = TAKE_BACK_MS, retryMs = RETRY_MS }: WriteOptions,
): Promise<Done<T>[]> {
  // Whoever has ended the write wants it to be taken back all the same.
  const signal = AbortSignal.timeout(takeBackMs);
  const unhurried = cluster.withSignal(signal);
  for (let left = [...done]; ; ) {
    const isBack = await atOnce(AT_ONCE, left, (one) => undo(unhurried, one, way));
    left = left.filter((_, at) => !isBack[at]);
    if (left.length === 0 || signal.aborted) return left;
    await sleep(retryMs, undefined, { signal }).catch(() => {});
  }
}

/** Whether the object is what it was, or is somebody else's by now. */
async function undo<T extends Specified>(cluster: Cluster, one: Done<T>, way: WriteOptions["way"]): Promise<boolean> {
  const { ref, before, after } = one;
  try {
    const now = after === "unknown" ? await cluster.get<T>(ref) : after;
    if (after === "unknown" && !isWritten(now, one)) return true;
    const version = now?.metadata?.resourceVersion;
    if (before === undefined) await cluster.remove(ref, version);
    else if (now === undefined) await cluster.create(atVersion(before, undefined));
    else if (way === "apply") await cluster.apply(atVersion(before, version), { force: true });
    else await cluster.replace(atVersion(before, version));
    return true;
  } catch (thrown) {
    // What somebody else has changed meanwhile is theirs.
    return [404, 409].includes(statusOf(thrown) ?? 0);
  }
}

function isWritten<T extends Specified>(now: T | undefined, { before, wanted }: ObjectWrite<T>): boolean {
  if (now === undefined || wanted === undefined) return now === wanted;
  const isAnother = now.metadata?.resourceVersion !== before?.metadata?.resourceVersion;
  return isAnother && isDeepStrictEqual(now.spec, wanted.spec);
}

/** The object to be put in the place of a version; without one, to be made anew. */
function atVersion<T extends Specified>(object: T, version: string | undefined): T {
  const metadata: Meta = object.metadata ?? {};
  const { resourceVersion: _, managedFields: __, uid, ...kept } = metadata;
  const bound = version === undefined ? {} : { resourceVersion: version, ...(uid !== undefined && { uid }) };
  return { ...object, metadata: { ...kept, ...bound } };
}

function partlyWritten(thrown: unknown, left: readonly Done<Specified>[], where: string): PartlyWritten {
  const names = left.slice(0, 10).map(({ ref }) => (left.length > 1 ? qualified(ref.metadata) : title(ref)));
  const more = left.length > 10 ? ` and ${left.length - 10} more` : "";
  return new PartlyWritten(
    `a write of several objects fails half-way (${reason(thrown)}). These may be written all the same: ${names.join(", ")}${more}`,
    { where, next: "look at them once the API server is well, and write all of it again", cause: thrown },
  );
}
