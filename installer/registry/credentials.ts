import { UsageError } from "../cli/errors.ts";
import type { Io } from "../cli/io.ts";
import { Secret } from "../cli/secret.ts";
import { dockerCredentials } from "./docker-config.ts";

export type Credentials =
  | { kind: "basic"; username: string; password: Secret }
  /** To be exchanged for a token by the registry's token service. */
  | { kind: "identity"; token: Secret }
  /** To be sent as it is. */
  | { kind: "bearer"; token: Secret };

export interface CredentialOptions {
  username?: string;
  passwordStdin?: boolean;
}

/** From the flags, else from the environment, else from Docker's configuration; undefined to go without. */
export async function findCredentials(
  host: string,
  options: CredentialOptions,
  io: Io,
): Promise<Credentials | undefined> {
  const { username, passwordStdin } = options;
  if (passwordStdin && username === undefined) {
    throw new UsageError("--password-stdin needs --username", { next: "give both, or neither" });
  }
  if (username !== undefined) {
    const password = passwordStdin ? await firstLine(io) : io.env.KEYWAY_REGISTRY_PASSWORD;
    if (password) return { kind: "basic", username, password: new Secret(password) };
    throw new UsageError("there is no password for --username", {
      next: "pass it on standard input with --password-stdin, or in KEYWAY_REGISTRY_PASSWORD",
    });
  }
  const { KEYWAY_REGISTRY_USERNAME: user, KEYWAY_REGISTRY_PASSWORD: password, KEYWAY_REGISTRY_TOKEN: token } = io.env;
  if (token) return { kind: "bearer", token: new Secret(token) };
  if (user && password) return { kind: "basic", username: user, password: new Secret(password) };
  return dockerCredentials(host, io.env);
}

async function firstLine(io: Io): Promise<string> {
  let text = "";
  for await (const piece of io.in) text += piece.toString();
  return text.split(/\r?\n/, 1)[0] ?? "";
}
