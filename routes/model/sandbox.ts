// A Sandbox as a custom resource of Kubernetes: all that one preview needs, under one key.
import type { Condition, Missing, Reference } from "./model.ts";
import { GROUP, ROUTE_API } from "./route-resource.ts";
import type { ConditionedStatus } from "./status.ts";

export const SANDBOX_API = ROUTE_API;
export const SANDBOX_KIND = "Sandbox";

/** On everything that belongs to a Sandbox, and on its routes: the Sandbox's name. */
export const SANDBOX_LABEL = `${GROUP}/sandbox`;
/** On the objects of a fork and on its pods: the name of the copied workload's copy. */
export const FORK_LABEL = `${GROUP}/fork`;
/** On the Service of a fork: the Service of the baseline whose requests it takes. */
export const BASELINE_ANNOTATION = `${GROUP}/baseline`;
/** On the objects of a fork: the workload that was copied, as the Sandbox names it. */
export const WORKLOAD_ANNOTATION = `${GROUP}/workload`;
/** On a Sandbox whose forks have to be taken away before it goes. */
export const FORKS_FINALIZER = `${GROUP}/forks`;

/** The Lease, in the route server's namespace, of the controller that writes. */
export const CONTROLLER_LEASE = "keyway-controller";

/** The Lease of the servers in that namespace, as the API server knows it. */
export const leaseOf = (namespace: string) => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: CONTROLLER_LEASE, namespace },
});

/** The name becomes the value of SANDBOX_LABEL, so it can't be longer than one. */
export const MAX_SANDBOX_NAME = 63; // characters
export const MAX_SANDBOX_ROUTES = 256;
export const MAX_FORKS = 32;
export const MAX_FORK_CONTAINERS = 32;
export const MAX_INCLUDE_LABELS = 16;

/** The kinds of workloads that can be copied. */
export const WORKLOAD_KINDS = ["Deployment", "StatefulSet", "Rollout"] as const;
export type WorkloadKind = (typeof WORKLOAD_KINDS)[number];

/** A route of a Sandbox; the Sandbox has its key and its end. */
export interface SandboxRoute {
  service: Reference;
  when?: Condition[];
  to: Reference;
  missing?: Missing;
}

export interface EnvVariable {
  name: string;
  value?: string;
  /** As in a container of Kubernetes. */
  valueFrom?: Record<string, unknown>;
}

export interface Resources {
  limits?: Record<string, string | number>;
  requests?: Record<string, string | number>;
}

/** What becomes different in one container of a copy. */
export interface ContainerChange {
  name: string;
  image?: string;
  /** Merged by name with what is there. */
  env?: EnvVariable[];
  args?: string[];
  command?: string[];
  resources?: Resources;
}

/** A copy of a workload, which takes the requests of the workload's Services. */
export interface ForkEntry {
  /** `KIND/NAME`, in the Sandbox's namespace. */
  workload: string;
  containers?: ContainerChange[];
  /** 1 unless said. */
  replicas?: number;
  /** Whether the copy is made anew when the workload changes; false unless said. */
  follow?: boolean;
}

export interface SandboxSpec {
  /** The Sandbox's name unless said. */
  key?: string;
  /** How long the Sandbox lives from its creation on; written in place of `expires`. */
  ttl?: string;
  /** RFC 3339. */
  expires?: string;
  routes?: SandboxRoute[];
  forks?: ForkEntry[];
  include?: { matchLabels: Record<string, string> };
}

export interface RouteStatus {
  /** The baseline and the target, as texts. */
  service: string;
  to: string;
  /** `spec`, `fork WORKLOAD` or `include SANDBOX`. */
  from: string;
  /** Whether requests are sent there; absent where nobody can say. */
  ready?: boolean;
  /** Pods of the target that are ready; absent where nobody can say. */
  endpoints?: number;
}

export interface ForkStatus {
  workload: string;
  /** The copy's name; absent while there is none. */
  fork?: string;
  /** The copy's Services, separated by commas and blanks. */
  service?: string;
  ready: boolean;
  /** Why it is not ready, for programs and for people. */
  reason?: string;
  message?: string;
  /** Whether the workload has changed since the copy was made. */
  baselineChanged?: boolean;
}

export interface SandboxStatus extends ConditionedStatus {
  key?: string;
  expires?: string;
  routes?: RouteStatus[];
  forks?: ForkStatus[];
}

export interface SandboxResource {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace: string;
    uid?: string;
    resourceVersion?: string;
    generation?: number;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    finalizers?: string[];
  };
  spec: SandboxSpec;
  status?: SandboxStatus;
}

/** `NAMESPACE/NAME`: what a Sandbox is called wherever several namespaces meet. */
export function sandboxName({ namespace = "", name = "" }: { namespace?: string; name?: string }): string {
  return `${namespace}/${name}`;
}

const ROUTE_PREFIX = "sandboxes/";

/** The id of a Sandbox's route in the live table. */
export function sandboxRouteId(sandbox: string, index: number): string {
  return `${ROUTE_PREFIX}${sandbox}/${String(index).padStart(4, "0")}`;
}

/** `NAMESPACE/NAME` of the Sandbox whose route this is; undefined for the route of none. */
export function sandboxOfRoute(id: string): string | undefined {
  return id.startsWith(ROUTE_PREFIX) ? id.slice(ROUTE_PREFIX.length, id.lastIndexOf("/")) : undefined;
}
