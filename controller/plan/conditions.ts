// What the status of a Sandbox or Route says, out of what is known.
import type { ForkStatus } from "../../routes/model/sandbox.ts";
import type { ConditionType, StatusCondition } from "../../routes/model/status.ts";
import type { Conflict } from "./include.ts";
import type { Finding } from "./resolved.ts";
import type { Reason, Taken } from "./sandbox-table.ts";

/** How many proxies may route for something, and how many of them have it. */
export interface Count {
  total: number;
  inForce: number;
  /** Those of all of them that are in no mesh. */
  plain?: number;
  /** Those in a mesh that follow the servers, whether they may route for it or not; unknown where nobody in no mesh does. */
  mesh?: number;
  /** What kept servers from telling of their proxies, a sentence each; those are not counted. */
  missing?: string[];
}

/** A condition before it is known since when it holds. */
export type Said = {
  [Type in ConditionType]: Omit<StatusCondition, "type" | "reason" | "lastTransitionTime" | "observedGeneration"> & {
    type: Type;
    reason: Reason<Type>;
  };
}[ConditionType];

const MOST_MESSAGES = 8;

/** The most important first. */
const ORDER = ["Forbidden", "ForkFailed", "ServiceNotFound", "PortNotFound", "RouteTaken", "NotReady"] as const;

export interface ResolvedFacts {
  findings: readonly Finding[];
  forks: readonly ForkStatus[];
  taken: readonly Taken[];
  conflicts: readonly Conflict[];
}

export function resolvedCondition({ findings, forks, taken, conflicts }: ResolvedFacts): Said {
  const type = "Resolved";
  const problems: { reason: (typeof ORDER)[number]; message: string }[] = [
    ...findings,
    ...forks.filter(({ ready }) => !ready).map(forkProblem),
    ...taken.map(({ service, route }) => ({
      reason: "RouteTaken" as const,
      message: `Route ${route} has ${service} for the same key and wins; delete it, or take ${service} out here`,
    })),
  ];
  const clashes = conflicts.map(conflictText);
  const messages = [...new Set([...problems.map(({ message }) => message), ...clashes])];
  const message = summary(messages);
  const first = ORDER.find((reason) => problems.some((one) => one.reason === reason));
  if (first !== undefined) return { type, status: "False", reason: first, message };
  if (clashes.length > 0) return { type, status: "True", reason: "IncludeConflict", message };
  return { type, status: "True", reason: "Resolved", message: "every service, port and target is there" };
}

function forkProblem({ workload, reason, message = "" }: ForkStatus) {
  const text = `the copy of ${workload} is not ready: ${[reason, message].filter(Boolean).join(": ")}`;
  const isStarting = reason === "Starting" || reason === undefined;
  const kind = reason === "Forbidden" ? "Forbidden" : isStarting ? "NotReady" : "ForkFailed";
  return { reason: kind, message: text } as const;
}

function conflictText({ includer, winner, loser, service, targets: [won, lost] }: Conflict): string {
  return (
    `Sandbox ${includer} includes ${winner}, which sends ${service} to ${won}, and ${loser}, which sends it to ${lost}; ` +
    `the older one, ${winner}, has it; change one of them, or write ${service} into ${includer}`
  );
}

function summary(messages: readonly string[]): string {
  const rest = messages.length - MOST_MESSAGES;
  return `${messages.slice(0, MOST_MESSAGES).join("; ")}${rest > 0 ? `; and ${rest} more` : ""}`;
}

export interface InForceFacts {
  /** Routes that are in tables. */
  routes: number;
  /** Undefined while nobody could be asked. */
  count: Count | undefined;
  /** Whether these are all the routes that the object asks for. */
  isResolved: boolean;
}

/** Who waits for this condition alone has all of it then. */
export function inForceCondition({ routes, count, isResolved }: InForceFacts): Said {
  const type = "InForce";
  if (routes === 0) {
    return { type, status: "False", reason: "NoRoutes", message: "nothing is routed yet: see the other conditions" };
  }
  if (count === undefined) {
    const message = "the route servers could not be asked yet how far their proxies are; they are asked again";
    return { type, status: "Unknown", reason: "ServersNotAsked", message };
  }
  const { total, inForce, missing } = count;
  if (missing !== undefined) {
    const others = total === 0 ? "no proxy asks the others" : `${inForce} of ${total} proxies of the others`;
    return { type, status: "Unknown", reason: "ServersNotAsked", message: `${summary(missing)}; ${others}` };
  }
  if (total === 0) {
    const message =
      "no proxy with these routes asks the route servers for its table; see that Keyway is installed with --table at the callers or at the services";
    return { type, status: "False", reason: "NoProxies", message };
  }
  const numbers = `${inForce} of ${total} proxies`;
  if (inForce >= total && isResolved) return { type, status: "True", reason: "InForce", message: numbers };
  if (inForce >= total) {
    const message = `${numbers} have what is ready of it; see the condition Resolved for the rest`;
    return { type, status: "False", reason: "NotResolved", message };
  }
  const message = `${numbers}; the others have it once they have asked again, which takes less than a second where they reach the route server`;
  return { type, status: "False", reason: "Waiting", message };
}

export function notAccepted(type: "Resolved" | "InForce"): Said {
  const message = "see the condition Accepted";
  return type === "Resolved"
    ? { type, status: "Unknown", reason: "NotAccepted", message }
    : { type, status: "False", reason: "NoRoutes", message };
}

/** With the time from which on each has been what it is, as the object's own status says it. */
export function since(
  said: readonly Said[],
  before: readonly StatusCondition[] | undefined,
  generation: number | undefined,
  now: string,
): StatusCondition[] {
  return said.map((one) => {
    const earlier = before?.find(({ type }) => type === one.type);
    const lastTransitionTime = earlier?.status === one.status ? earlier.lastTransitionTime : now;
    return { ...one, ...(generation !== undefined && { observedGeneration: generation }), lastTransitionTime };
  });
}
