import type { Command } from "commander";
import type { Io } from "../../shared/io.ts";
import { pause } from "../../shared/net/limit.ts";
import type { Progress } from "../cli/progress.ts";
import { Repository } from "./client.ts";
import { type CredentialOptions, findCredentials } from "./credentials.ts";
import type { ImageName } from "./name.ts";
import { Transport } from "./transport.ts";

export interface RegistryOptions extends CredentialOptions {
  insecure?: boolean;
}

/** The flags of every command that talks to a registry. */
export function registryOptions(command: Command): Command {
  return command
    .option("--insecure", "speak plain HTTP with the registry")
    .option("--username <name>", "log in as this user (or set KEYWAY_REGISTRY_USERNAME)")
    .option("--password-stdin", "read the password from standard input (or set KEYWAY_REGISTRY_PASSWORD)");
}

/** `steps` hears of what is tried again. */
export async function connect(
  name: ImageName,
  options: RegistryOptions,
  io: Io,
  steps?: Progress,
): Promise<Repository> {
  const transport = new Transport({
    host: name.host,
    insecure: options.insecure ?? false,
    login: await findCredentials(name.host, options, io),
    env: io.env,
    signal: io.signal,
    pause: (ms, why) => pause(ms, io.signal, why),
    retrying: (why, ms) => steps?.warn(`${why}; trying again in ${ms / 1000} s`),
  });
  return new Repository(transport, name);
}
