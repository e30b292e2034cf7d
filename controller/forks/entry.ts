import type { V1EnvVar, V1ResourceRequirements } from "@kubernetes/client-node";

/** What becomes different in one container of a copy. */
export interface ContainerChange {
  name: string;
  image?: string;
  /** Merged with what is there, by name. */
  env?: V1EnvVar[];
  /** Each of these takes the place of what is there. */
  args?: string[];
  command?: string[];
  resources?: V1ResourceRequirements;
}

/** A copy that a Sandbox asks for. */
export interface ForkEntry {
  /** KIND/NAME. */
  workload: string;
  containers?: ContainerChange[];
  replicas?: number;
  /** Whether the copy changes with the workload; otherwise it stays as that was when the copy was made. */
  follow?: boolean;
}
