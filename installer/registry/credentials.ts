import { UsageError } from "../../shared/errors.ts";
import { readLine } from "../../shared/input.ts";
import type { Io } from "../../shared/io.ts";
import { Secret } from "../cli/secret.ts";
import type { Credentials, Found } from "./auth.ts";
import { dockerCredentials } from "./docker-config.ts";

export interface CredentialOptions {
  username?: string;
  passwordStdin?: boolean;
  /** Whether the person named the registry on this command line, and not somebody else in the cluster. */
  named: boolean;
}

/** From the flags, else from the environment, else from Docker's configuration; without credentials to go without.
 *
 * Those of the environment belong to the host that KEYWAY_REGISTRY_HOST names; without it, to the host that the person named. */
export async function findCredentials(host: string, options: CredentialOptions, io: Io): Promise<Found> {
  const { username, passwordStdin } = options;
  if (passwordStdin && username === undefined) {
    throw new UsageError("--password-stdin needs --username", { next: "give both, or neither" });
  }
  if (username !== undefined) {
    const password = passwordStdin ? await readLine(io) : io.env.KEYWAY_REGISTRY_PASSWORD;
    if (password) return { credentials: { kind: "basic", username, password: new Secret(password) } };
    throw new UsageError("there is no password for --username", {
      next: "pass it on standard input with --password-stdin, or in KEYWAY_REGISTRY_PASSWORD",
    });
  }
  const given = environmentCredentials(io.env);
  const owner = io.env.KEYWAY_REGISTRY_HOST;
  if (given && (owner ? sameHost(owner, host) : options.named)) return { credentials: given };
  const stored = await dockerCredentials(host, io);
  if (stored) return { credentials: stored };
  if (!given) return {};
  const name = given.kind === "bearer" ? "KEYWAY_REGISTRY_TOKEN" : "KEYWAY_REGISTRY_PASSWORD";
  return {
    withheld: owner
      ? `${name} is for ${owner} alone, as KEYWAY_REGISTRY_HOST says; if it is for ${host}, set KEYWAY_REGISTRY_HOST=${host}`
      : `${name} is not sent to a host that only the cluster names; if it is for ${host}, set KEYWAY_REGISTRY_HOST=${host}`,
  };
}

function environmentCredentials(env: Io["env"]): Credentials | undefined {
  const { KEYWAY_REGISTRY_USERNAME: user, KEYWAY_REGISTRY_PASSWORD: password, KEYWAY_REGISTRY_TOKEN: token } = env;
  if (token) return { kind: "bearer", token: new Secret(token) };
  return user && password ? { kind: "basic", username: user, password: new Secret(password) } : undefined;
}

function sameHost(one: string, other: string): boolean {
  const plain = (host: string) =>
    host
      .replace(/^(?:oci|https?):\/\//, "")
      .replace(/\/.*$/, "")
      .toLowerCase();
  return plain(one) === plain(other);
}
