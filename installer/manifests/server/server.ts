// A route server in a cluster: what its objects are made of.
import type { Role } from "../../../server/auth/authenticator.ts";

/** Whose server an object is of: the namespace that the server runs in. */
export const SERVER_LABEL = "keyway.dev/server";
/** On the Deployment: what was asked for, so that an upgrade keeps what it does not say. */
export const CHOICE_ANNOTATION = "keyway.dev/server-choice";
export const DEFAULT_NAMESPACE = "keyway-system";
export const DEFAULT_REPLICAS = 2;
/** The Service, by which proxies and people find the server. */
export const SERVICE_NAME = "keyway";
/** Everything else: Deployment, account, policies. */
export const SERVER_NAME = "keyway-server";
export const PORT = 8700;

/** What a person says of a server. */
export interface ServerChoice {
  namespace: string;
  image: string;
  replicas: number;
  /** What requests without a token may do. */
  anonymous: Role[];
  imagePullSecret?: string;
  /** Further flags of `keyway serve`, as `--log-level=debug`. */
  arguments: string[];
}

/** Selects the server's pods. */
export const selector = { "app.kubernetes.io/name": SERVER_NAME };

export function labelsOf({ namespace }: Pick<ServerChoice, "namespace">): Record<string, string> {
  return { ...selector, "app.kubernetes.io/managed-by": "keyway", [SERVER_LABEL]: namespace };
}

export function metadataOf(choice: Pick<ServerChoice, "namespace">, name = SERVER_NAME) {
  return { name, namespace: choice.namespace, labels: labelsOf(choice) };
}

/** The namespaces in which the server follows the versions of pods, as its flags say. */
export function overriddenBy({ arguments: said }: Pick<ServerChoice, "arguments">): string[] {
  const flag = "--overrides=";
  const value = said.findLast((one) => one.startsWith(flag))?.slice(flag.length) ?? "";
  const names = value.split(",").map((name) => name.trim());
  return [...new Set(names)].filter((name) => name !== "");
}
