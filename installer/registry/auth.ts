import { KeywayError } from "../cli/errors.ts";
import { Secret } from "../cli/secret.ts";
import type { Credentials } from "./credentials.ts";

/** How a registry asks for a login: `Basic`, or `Bearer` with the address of a token service. */
export interface Challenge {
  scheme: string;
  parameters: Record<string, string>;
}

const CHALLENGE = /([A-Za-z]+)\s+((?:[a-z_]+=(?:"[^"]*"|[^",\s]*)(?:\s*,\s*(?=[a-z_]+=))?)+)/g;
const PARAMETER = /([a-z_]+)=(?:"([^"]*)"|([^",\s]*))/g;

export function parseChallenges(header: string): Challenge[] {
  return [...header.matchAll(CHALLENGE)].map(([, scheme = "", rest = ""]) => ({
    scheme: scheme.toLowerCase(),
    parameters: Object.fromEntries(
      [...rest.matchAll(PARAMETER)].map(([, name, quoted, plain]) => [name, quoted ?? plain ?? ""]),
    ),
  }));
}

/** A request to a token service. */
export interface TokenRequest {
  method: "GET" | "POST";
  url: URL;
  headers: Record<string, string>;
  body?: string;
}

type Fetcher = (request: TokenRequest) => Promise<{ status: number; body: Buffer; where: string }>;

/** Answers a registry's challenges. What it learns is sent to that registry and to nobody else. */
export class Login {
  readonly #credentials: Credentials | undefined;
  readonly #fetch: Fetcher;
  readonly #plainHttp: boolean;
  /** Every scope asked for so far: a later challenge, for another repository, must not lose the earlier right. */
  readonly #scopes = new Set<string>();
  #authorization: Secret | undefined;

  constructor(credentials: Credentials | undefined, plainHttp: boolean, fetch: Fetcher) {
    this.#credentials = credentials;
    this.#plainHttp = plainHttp;
    this.#fetch = fetch;
    if (credentials?.kind === "bearer") this.#authorization = new Secret(`Bearer ${credentials.token.reveal()}`);
  }

  /** The user to name in messages; undefined without credentials. */
  get user(): string | undefined {
    if (!this.#credentials) return undefined;
    return this.#credentials.kind === "basic" ? this.#credentials.username : "the token";
  }

  headers(): Record<string, string> {
    return this.#authorization ? { authorization: this.#authorization.reveal() } : {};
  }

  /** Whether the request is worth another try with what was learnt from the `www-authenticate` header. */
  async learn(header: string): Promise<boolean> {
    const challenges = parseChallenges(header);
    const bearer = challenges.find(({ scheme, parameters }) => scheme === "bearer" && parameters.realm);
    if (bearer && this.#credentials?.kind !== "bearer") {
      this.#authorization = await this.#token(bearer);
      return true;
    }
    if (this.#credentials?.kind !== "basic" || !challenges.some(({ scheme }) => scheme === "basic")) return false;
    this.#authorization = new Secret(basic(this.#credentials));
    return true;
  }

  async #token({ parameters }: Challenge): Promise<Secret> {
    const { realm = "", service, scope } = parameters;
    const url = URL.canParse(realm) ? new URL(realm) : undefined;
    if (url?.protocol !== "https:" && !(this.#plainHttp && url?.protocol === "http:")) {
      throw new KeywayError("the registry names a token service that a login can't be sent to safely", {
        where: realm,
        next: "it must be an https:// address; ask the registry's owner",
      });
    }
    for (const wanted of scope?.split(" ") ?? []) if (wanted) this.#scopes.add(wanted);
    const { status, body, where } = await this.#fetch(this.#tokenRequest(url, service));
    const refuse = (what: string) =>
      new KeywayError(what, {
        where,
        next: "log in again with `docker login`, or give --username and --password-stdin",
      });
    if (status === 401 || status === 403)
      throw refuse(`the token service does not accept the credentials of ${this.user ?? "nobody"}`);
    const token = status === 200 ? tokenIn(body) : undefined;
    if (!token) throw refuse(`the token service answers ${status} and no token`);
    return new Secret(`Bearer ${token}`);
  }

  #tokenRequest(url: URL, service: string | undefined): TokenRequest {
    const scope = [...this.#scopes].join(" ");
    const credentials = this.#credentials;
    if (credentials?.kind === "identity") {
      const form = new URLSearchParams({ grant_type: "refresh_token", client_id: "keyway", scope });
      if (service) form.set("service", service);
      form.set("refresh_token", credentials.token.reveal());
      return {
        method: "POST",
        url,
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: form.toString(),
      };
    }
    if (service) url.searchParams.set("service", service);
    for (const one of this.#scopes) url.searchParams.append("scope", one);
    return { method: "GET", url, headers: credentials?.kind === "basic" ? { authorization: basic(credentials) } : {} };
  }
}

function basic({ username, password }: { username: string; password: Secret }): string {
  return `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString("base64")}`;
}

function tokenIn(body: Buffer): string | undefined {
  try {
    const { token, access_token } = JSON.parse(body.toString("utf8")) as { token?: string; access_token?: string };
    return token || access_token;
  } catch {
    return undefined;
  }
}
