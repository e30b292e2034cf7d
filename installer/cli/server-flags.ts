import { type Command, InvalidArgumentError } from "commander";
import { ROLES, type Role } from "../../server/auth/authenticator.ts";
import { flagOf, mistakeIn, settingNames } from "../../server/settings.ts";
import { DEFAULT_NAMESPACE, DEFAULT_REPLICAS, type ServerChoice } from "../manifests/server/server.ts";
import { applyFlags, parseName, placeFlags, waitFlags } from "./flags.ts";
import { outputOption } from "./output.ts";

/** Where the server is, and how the cluster is reached. */
export interface ServerPlaceFlags {
  kubeconfig?: string;
  context?: string;
  namespace: string;
}

export function serverPlaceFlags(command: Command): Command {
  return placeFlags(command, "namespace of the server", DEFAULT_NAMESPACE);
}

/** What a person can say of a server; what is not said stays as it is, or takes its default. */
export interface ServerChoiceFlags {
  image?: string;
  replicas?: number;
  anonymous?: Role[];
  imagePullSecret?: string;
  set?: string[];
}

export function serverChoiceFlags(command: Command): Command {
  return command
    .option("--image <image>", "the image that the Dockerfile builds, in a registry that the nodes reach", parseName)
    .option("--replicas <number>", "servers that share the work (default: 2)", parseReplicas)
    .option(
      "--anonymous <roles>",
      "what requests without a token may do, separated by commas, or none (default: proxy, so that proxies need no token)",
      parseRoles,
    )
    .option("--image-pull-secret <name>", "secret in the namespace, for a registry that asks who you are", parseName)
    .option(
      "--set <setting=value>",
      "a further setting of `keyway serve`, as in --set logLevel=debug, or --set logLevel= for its default; can be repeated",
      parseSetting,
    );
}

/** All flags of a command that changes a server. */
export function serverChangeFlags(command: Command): Command {
  for (const add of [serverPlaceFlags, serverChoiceFlags, applyFlags]) add(command);
  return waitFlags(command, 120).addOption(outputOption());
}

/** What a server is where nothing but its image is said. */
export function newServer(namespace: string, image: string): ServerChoice {
  return { namespace, image, replicas: DEFAULT_REPLICAS, anonymous: ["proxy"], arguments: [] };
}

/** What was there before, with what is said now. */
export function withSaid(before: ServerChoice, { set, ...said }: ServerChoiceFlags): ServerChoice {
  const { image = before.image, replicas = before.replicas, anonymous = before.anonymous } = said;
  const secret = said.imagePullSecret ?? before.imagePullSecret;
  const settings = { ...settingsOf(before.arguments), ...settingsOf(set ?? []) };
  return {
    namespace: before.namespace,
    image,
    replicas,
    anonymous,
    ...(secret !== undefined && { imagePullSecret: secret }),
    arguments: Object.entries(settings).flatMap(([flag, value]) => (value === "" ? [] : `${flag}=${value}`)),
  };
}

function settingsOf(flags: readonly string[]): Record<string, string> {
  return Object.fromEntries(flags.map((flag) => [flag.slice(0, flag.indexOf("=")), flag.slice(flag.indexOf("=") + 1)]));
}

function parseReplicas(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError("expected a number from 1 to 99.");
  return Number(text);
}

function parseRoles(text: string): Role[] {
  if (text === "none") return [];
  const roles = text.split(",").map((one) => one.trim());
  const unknown = roles.find((one) => !ROLES.includes(one as Role));
  if (unknown !== undefined) throw new InvalidArgumentError(`"${unknown}" is none of ${ROLES.join(", ")}.`);
  return roles as Role[];
}

/** `logLevel=debug` as a flag of `keyway serve`: `--log-level=debug`. What the installation itself decides can't be set. */
function parseSetting(text: string, before: string[] = []): string[] {
  const [, name = "", value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (value === undefined) throw new InvalidArgumentError(`"${text}" is not SETTING=VALUE.`);
  const setting = settingNames.find((one) => one === name || flagOf(one) === `--${name}`);
  if (setting === undefined) throw new InvalidArgumentError(`"${name}" is no setting of \`keyway serve\`.`);
  if (DECIDED.includes(setting)) throw new InvalidArgumentError(`${setting} is decided by the installation.`);
  const mistake = value === "" ? undefined : mistakeIn(setting, value);
  if (mistake !== undefined) throw new InvalidArgumentError(`${setting}: ${mistake}.`);
  return [...before, `${flagOf(setting)}=${value}`];
}

/** Settings that the installation itself says to the server. */
export const DECIDED: readonly string[] = [
  "listen",
  "store",
  "anonymous",
  "tokens",
  "grace",
  "peers",
  "peersTokenFile",
];
