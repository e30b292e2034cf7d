/** What somebody may do: `read` looks at routes, `write` changes them as well, `proxy` fetches compiled tables. */
export const ROLES = ["read", "write", "proxy"] as const;
export type Role = (typeof ROLES)[number];

/** For whom Kubernetes' tokens may be that mean nothing to its API server: who sees one on its way can do no more with it than here. */
export const AUDIENCE = "keyway.dev";

/** Who sent a request. */
export interface Principal {
  /** For the log. */
  name: string;
  may(role: Role): boolean;
  /** The one of Amalgam8's namespaces that the sender is of; whichever it names, unless said. */
  namespace?: string;
  /** Aborted once the token means nothing, or not the same, any more: what it was let into then ends. */
  revoked: AbortSignal;
}

/** Tells who sends a request, by its token. */
export interface Authenticator {
  /** Undefined for a token that is not known. A request without a token has none to give; whether it may do anything is for the
   * principal to say. Throws Unavailable where it can't be found out. */
  authenticate(token: string | undefined): Promise<Principal | undefined> | Principal | undefined;
  close(): void;
}

const anonymous: Principal = { name: "anonymous", may: () => true, revoked: new AbortController().signal };

/** Lets everybody do everything: for a server that only this machine can reach. */
export const everybody: Authenticator = {
  authenticate: () => anonymous,
  close: () => {},
};
