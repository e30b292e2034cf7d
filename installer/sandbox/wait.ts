// Waits for what the controller makes of a Sandbox.
import type { SandboxResource } from "../../routes/model/sandbox.ts";
import { CONDITION_TYPES } from "../../routes/model/status.ts";
import { KeywayError } from "../../shared/errors.ts";
import { pause } from "../../shared/net/limit.ts";
import { nameOf, type Sandboxes } from "./in-cluster.ts";

export interface WaitOptions {
  seconds: number;
  signal: AbortSignal;
  /** Told whenever it waits for something else. */
  told: (text: string) => void;
}

/** Milliseconds between two looks. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 1000;

export interface Waited {
  /** As it was last. */
  sandbox: SandboxResource;
  /** Why it is not in force, or was not within the time. */
  failure?: KeywayError;
}

/** Waits until all proxies have the Sandbox, or that can't be any more. */
export async function waitInForce(
  sandboxes: Sandboxes,
  applied: SandboxResource,
  options: WaitOptions,
): Promise<Waited> {
  const { namespace, name, uid } = applied.metadata;
  const where = `Sandbox ${nameOf(applied)}`;
  let last = applied;
  let failure: KeywayError | undefined;
  const isOver = await repeat(options, async () => {
    const found = await sandboxes.get(namespace, name);
    if (found === undefined || found.metadata.uid !== uid || found.metadata.deletionTimestamp !== undefined) {
      failure = new KeywayError(`somebody has deleted ${where} meanwhile`, {
        where,
        next: "run the same command again",
      });
      return true;
    }
    last = found;
    const refused = conditionsOf(found).find(({ type, status }) => type === "Accepted" && status === "False");
    if (refused) {
      failure = new KeywayError(`${where} is not accepted: ${refused.message} (${refused.reason})`, { where });
      return true;
    }
    const missing = missingFor(found);
    if (missing.length === 0) return true;
    options.told(missing.join("; "));
    return false;
  });
  if (isOver) return failure ? { sandbox: last, failure } : { sandbox: last };
  failure = new KeywayError(`${where} is not in force after ${options.seconds} s\n  ${missingFor(last).join("\n  ")}`, {
    where,
    next: `mend what is named, or allow more with --wait=SECONDS; \`kubectl describe sandbox ${name} -n ${namespace}\` shows how it goes on`,
  });
  return { sandbox: last, failure };
}

/** Resolves once the Sandboxes, and the copies that go with them, are gone. */
export async function waitGone(
  sandboxes: Sandboxes,
  deleted: readonly SandboxResource[],
  options: WaitOptions,
): Promise<void> {
  let left = [...deleted];
  const isDone = await repeat(options, async () => {
    const found = await Promise.all(left.map(({ metadata }) => sandboxes.get(metadata.namespace, metadata.name)));
    left = left.flatMap(({ metadata }, at) => {
      const now = found[at];
      return now?.metadata.uid === metadata.uid && now ? [now] : [];
    });
    if (left.length > 0) options.told(`${left.map(nameOf).join(", ")} to be gone`);
    return left.length === 0;
  });
  if (isDone) return;
  const finalizers = left.flatMap(({ metadata }) => metadata.finalizers ?? []);
  throw new KeywayError(`after ${options.seconds} s there is still Sandbox ${left.map(nameOf).join(", ")}`, {
    next:
      finalizers.length > 0
        ? "see that the controller runs, which takes the copies away first: `keyway server status`"
        : "allow more with --wait=SECONDS",
  });
}

/** What is to come until it is in force, each a sentence's part. */
export function missingFor(sandbox: SandboxResource): string[] {
  const conditions = conditionsOf(sandbox);
  if (conditions.length === 0) {
    return [
      "the controller has not looked at it; see that `keyway serve --store kubernetes` runs: `keyway server status`",
    ];
  }
  const copies = (sandbox.status?.forks ?? []).filter(({ ready }) => !ready);
  const open = CONDITION_TYPES.flatMap((type) => {
    const condition = conditions.find((one) => one.type === type);
    return condition?.status === "True"
      ? []
      : [`${type}: ${condition ? `${condition.message} (${condition.reason})` : "not judged yet"}`];
  });
  const said = open.join("\n");
  return [
    ...open,
    ...copies.flatMap(({ workload, reason, message = "" }) =>
      said.includes(message) && message !== ""
        ? []
        : [`the copy of ${workload} is not ready: ${message} (${reason ?? "Starting"})`],
    ),
  ];
}

/** Those that speak of the spec as it is now. */
export function conditionsOf({ metadata, status }: SandboxResource) {
  const { generation = 0 } = metadata;
  return (status?.conditions ?? []).filter(
    ({ observedGeneration }) => (observedGeneration ?? status?.observedGeneration ?? 0) >= generation,
  );
}

async function repeat({ seconds, signal }: WaitOptions, look: () => Promise<boolean>): Promise<boolean> {
  const until = performance.now() + seconds * 1000;
  for (let wait = FIRST_PAUSE; ; wait = Math.min(wait * 1.5, LONGEST_PAUSE)) {
    if (await look()) return true;
    const left = until - performance.now();
    if (left <= 0) return false;
    await pause(Math.min(wait, left), signal);
  }
}
