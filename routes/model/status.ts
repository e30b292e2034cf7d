// What the statuses of Sandboxes and Routes say alike.

export const CONDITION_TYPES = ["Accepted", "Resolved", "InForce"] as const;
export type ConditionType = (typeof CONDITION_TYPES)[number];

/** Why a condition is what it is. */
export const REASONS = {
  Accepted: ["Accepted", "KeyTaken", "Twin", "Invalid", "Expired"],
  Resolved: [
    "Resolved",
    "NotAccepted",
    "ServiceNotFound",
    "PortNotFound",
    "NotReady",
    "RouteTaken",
    "IncludeConflict",
    "ForkFailed",
    "Forbidden",
  ],
  InForce: ["InForce", "Waiting", "NotResolved", "NoProxies", "NoRoutes", "ServersNotAsked"],
} as const satisfies Record<ConditionType, readonly string[]>;

/** A condition of a resource's status, as Kubernetes has them. */
export interface StatusCondition {
  type: ConditionType;
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
  observedGeneration?: number;
  /** RFC 3339. */
  lastTransitionTime: string;
}

/** What Sandboxes and Routes have in common. */
export interface ConditionedStatus {
  observedGeneration?: number;
  /** Proxies that route for it, and those of them that have it as it is. */
  proxies?: { total: number; inForce: number; summary: string };
  conditions?: StatusCondition[];
}
