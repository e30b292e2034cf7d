import { readFile } from "node:fs/promises";
import { KeywayError, reason } from "../errors.ts";
import { type ExecCredential, execCredential } from "./exec-credential.ts";
import type { ClusterAccess, Env } from "./kubeconfig.ts";
import type { ExecEntry, UserEntry } from "./kubeconfig-file.ts";

export type Headers = Record<string, string | string[]>;

/** PEM. */
export interface ClientCertificate {
  cert?: string | Buffer;
  key?: string | Buffer;
}

/** Says who a user is, in headers and in the TLS handshake. */
export class Credentials {
  readonly #access: ClusterAccess;
  readonly #env: Env;
  /** What the plugin said last. */
  #known: ExecCredential | undefined;
  #asked: Promise<ExecCredential> | undefined;

  constructor(access: ClusterAccess, env: Env) {
    this.#access = access;
    this.#env = env;
  }

  async headers(signal: AbortSignal): Promise<Headers> {
    const authorization = await this.#authorization(signal);
    return { ...(authorization !== undefined && { authorization }), ...impersonation(this.#access.user) };
  }

  async certificate(signal: AbortSignal): Promise<ClientCertificate> {
    const { user } = this.#access;
    const cert = await dataOrFile(user["client-certificate-data"], user["client-certificate"]);
    const key = await dataOrFile(user["client-key-data"], user["client-key"]);
    if (cert !== undefined) return { cert, ...(key !== undefined && { key }) };
    const { clientCertificateData, clientKeyData } = await this.#fromPlugin(signal);
    if (clientCertificateData === undefined) return {};
    return { cert: clientCertificateData, ...(clientKeyData !== undefined && { key: clientKeyData }) };
  }

  /** Forgets what a plugin said, because the API server does not take it any more; false when no plugin is asked. */
  renew(): boolean {
    const asked = this.#known !== undefined;
    this.#known = undefined;
    return asked;
  }

  async #authorization(signal: AbortSignal): Promise<string | undefined> {
    const { token, tokenFile, username, password = "", "auth-provider": provider } = this.#access.user;
    const fromFile = tokenFile ? await readToken(tokenFile, token) : undefined;
    const bearer = fromFile ?? token ?? (provider && tokenOf(provider)) ?? (await this.#fromPlugin(signal)).token;
    if (bearer) return `Bearer ${bearer}`;
    return username ? `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` : undefined;
  }

  async #fromPlugin(signal: AbortSignal): Promise<ExecCredential> {
    if (this.#access.user.exec === undefined) return {};
    const known = this.#known;
    return known !== undefined && !isOver(known) ? known : this.#askPlugin(this.#access.user.exec, signal);
  }

  /** Questions that come at the same time share the answer; a failure is not kept. */
  #askPlugin(exec: ExecEntry, signal: AbortSignal): Promise<ExecCredential> {
    this.#asked ??= execCredential(exec, this.#access.cluster, this.#env, signal)
      .then((credential) => {
        this.#known = credential;
        return credential;
      })
      .finally(() => {
        this.#asked = undefined;
      });
    return this.#asked;
  }
}

function isOver({ expirationTimestamp }: ExecCredential): boolean {
  return expirationTimestamp !== undefined && Date.parse(expirationTimestamp) <= Date.now();
}

/** Read again for every request, since what rotates a token writes it anew. */
async function readToken(file: string, instead: string | undefined): Promise<string | undefined> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (cause) {
    if (instead !== undefined) return instead;
    throw new KeywayError(`the token file of the kubeconfig's user can't be read: ${reason(cause)}`, {
      where: file,
      cause,
    });
  }
}

/** The identity token that kubectl keeps in the kubeconfig, and renews there when it is over. */
function tokenOf({ name, config = {} }: NonNullable<UserEntry["auth-provider"]>): string {
  if (name !== "oidc") {
    throw new KeywayError(`the auth provider ${name} of the kubeconfig's user is not supported`, {
      next: "use its credential plugin (`exec`), as kubectl does since Kubernetes 1.26",
    });
  }
  const token = config["id-token"] ?? "";
  const [, payload = ""] = token.split(".");
  const { exp = 0 } = claims(payload);
  if (exp * 1000 > Date.now()) return token;
  throw new KeywayError("the identity token of the kubeconfig's user is over", {
    next: "run `kubectl get namespaces` with the same kubeconfig: it renews the token there",
  });
}

function claims(payload: string): { exp?: number } {
  try {
    return JSON.parse(Buffer.from(payload, "base64url").toString());
  } catch {
    return {};
  }
}

/** The data of a kubeconfig win over the file that stands beside them. */
export async function dataOrFile(data: string | undefined, file: string | undefined): Promise<Buffer | undefined> {
  if (data) return Buffer.from(data, "base64");
  if (!file) return undefined;
  try {
    return await readFile(file);
  } catch (cause) {
    throw new KeywayError(`a certificate or key of the kubeconfig can't be read: ${reason(cause)}`, {
      where: file,
      cause,
    });
  }
}

/** On whose behalf the user acts. */
function impersonation(user: UserEntry): Headers {
  const { as, "as-uid": uid, "as-groups": groups = [], "as-user-extra": extra = {} } = user;
  return {
    ...(as && { "impersonate-user": as }),
    ...(uid && { "impersonate-uid": uid }),
    ...(groups.length > 0 && { "impersonate-group": groups }),
    ...Object.fromEntries(
      Object.entries(extra).map(([name, values]) => [`impersonate-extra-${encodeURIComponent(name)}`, values]),
    ),
  };
}
