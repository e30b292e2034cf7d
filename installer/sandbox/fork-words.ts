// The copies that the flags of `keyway sandbox create` ask for, in the order in which they are typed.
import type { ContainerChange, EnvVariable, ForkEntry } from "../../routes/model/sandbox.ts";
import { UsageError } from "../../shared/errors.ts";

export const FORK_FLAGS = ["fork", "container", "image", "env", "replicas", "follow"] as const;
export type ForkFlag = (typeof FORK_FLAGS)[number];

/** A flag as it was typed. */
export interface ForkWord {
  flag: ForkFlag;
  value: string;
}

/** One whose container was not named: the workload's only one is meant. */
export interface WantedContainer extends Omit<ContainerChange, "name"> {
  name?: string;
}

export interface WantedFork extends Omit<ForkEntry, "containers"> {
  containers: WantedContainer[];
}

/** What stands behind a --fork belongs to it, and what stands behind a --container to that container. */
export function forksIn(words: readonly ForkWord[]): WantedFork[] {
  const forks: WantedFork[] = [];
  for (const { flag, value } of words) {
    if (flag === "fork") {
      forks.push({ workload: value, containers: [] });
      continue;
    }
    const fork = forks.at(-1);
    if (fork === undefined) {
      throw new UsageError(`--${flag} says how a copy differs, and no copy is asked for before it`, {
        next: `write --fork KIND/NAME before --${flag}`,
      });
    }
    add(fork, flag, value);
  }
  return forks;
}

function add(fork: WantedFork, flag: Exclude<ForkFlag, "fork">, value: string): void {
  if (flag === "container") {
    if (fork.containers.some(({ name }) => name === value)) {
      throw new UsageError(`--container ${value} stands twice behind --fork ${fork.workload}`, {
        next: "say all of one container together",
      });
    }
    if (fork.containers[0]?.name === undefined && fork.containers.length > 0) {
      throw new UsageError(`--container ${value} stands behind what it is about`, {
        next: "write --container before the --image and --env of the container",
      });
    }
    fork.containers.push({ name: value });
  } else if (flag === "replicas") fork.replicas = Number(value);
  else if (flag === "follow") fork.follow = true;
  else changeContainer(containerOf(fork), flag, value);
}

function containerOf(fork: WantedFork): WantedContainer {
  const last = fork.containers.at(-1) ?? {};
  if (fork.containers.length === 0) fork.containers.push(last);
  return last;
}

function changeContainer(container: WantedContainer, flag: "image" | "env", value: string): void {
  if (flag === "env") {
    container.env = [...(container.env ?? []), variableIn(value)];
    return;
  }
  if (container.image !== undefined) {
    throw new UsageError(`a second --image for one container: ${value}`, {
      next: "name the containers: --container NAME before each --image",
    });
  }
  container.image = value;
}

function variableIn(text: string): EnvVariable {
  const [, name, value = ""] = /^([^=\s]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined) throw new UsageError(`--env ${text} is not NAME=VALUE`);
  return { name, value };
}
