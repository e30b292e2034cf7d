import { type Command, InvalidArgumentError } from "commander";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import type { Io } from "../../shared/io.ts";
import { connectWithHint } from "./connect.ts";
import { type ClusterFlags, parseName, parseSeconds, placeFlags } from "./flags.ts";
import { collect } from "./table-flags.ts";

export type PlaceFlags = Partial<Pick<ClusterFlags, "kubeconfig" | "context" | "namespace">>;

export interface SandboxFilter {
  key?: string;
  label?: string[];
}

export function sandboxFilterFlags(command: Command): Command {
  return command
    .option("--key <key>", "only that of this key", parseName)
    .option(
      "-l, --label <name=value>",
      "only those with this label, or with one of this name; can be repeated",
      collect,
    );
}

/** Seconds of --wait without a number. */
export const DEFAULT_WAIT = 120;

export function sandboxPlaceFlags(command: Command): Command {
  return placeFlags(command, "namespace of the Sandboxes");
}

export function waitFlag(command: Command, until: string): Command {
  return command.option(
    "--wait [seconds]",
    `wait until ${until}, ${DEFAULT_WAIT} s unless said: --wait=300`,
    parseWait,
  );
}

function parseWait(text: string): number {
  try {
    return parseSeconds(text);
  } catch {
    throw new InvalidArgumentError("expected seconds, such as --wait=90; without a number, write it behind the name.");
  }
}

/** Undefined where nobody waits. */
export function waitSeconds(wait: number | boolean | undefined): number | undefined {
  return wait === true ? DEFAULT_WAIT : wait || undefined;
}

export function connectForSandboxes(choice: PlaceFlags, io: Io): Promise<Cluster> {
  const hint =
    "have an administrator run: kubectl create role keyway-sandboxes --verb=get,list,create,patch,delete --resource=sandboxes.keyway.dev -n NAMESPACE, and bind it to you";
  return connectWithHint(choice, io, hint);
}
