import { KeywayError } from "../../shared/errors.ts";
import { CutOff } from "../../shared/net/unreachable.ts";
import { Secret } from "../cli/secret.ts";
import type { HttpAnswer } from "./http.ts";

export type Credentials =
  | { kind: "basic"; username: string; password: Secret }
  /** A refresh token, which the registry's token service exchanges for a token. */
  | { kind: "identity"; token: Secret }
  /** A token to be sent as it is. */
  | { kind: "bearer"; token: Secret };

export interface Found {
  credentials?: Credentials;
  /** What to do so that credentials which are there, but not for this host, are sent to it. */
  withheld?: string;
}

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

type Ask = (request: TokenRequest) => Promise<HttpAnswer>;

/** Answers a registry's challenges. What it learns is sent to that registry and to nobody else; credentials also to the token
 * service that it names, and to either of them only once it has asked. */
export class Login {
  readonly #credentials: Credentials | undefined;
  readonly #ask: Ask;
  readonly #plainHttp: boolean;
  /** The actions that tokens are asked for, by `repository:NAME`: all that were ever wanted, as a challenge may name too few. */
  readonly #scopes = new Map<string, Set<string>>();
  #authorization: Secret | undefined;

  /** How credentials that are there, but for another host, could be used. */
  readonly withheld: string | undefined;

  constructor({ credentials, withheld }: Found, plainHttp: boolean, ask: Ask) {
    this.#credentials = credentials;
    this.withheld = withheld;
    this.#plainHttp = plainHttp;
    this.#ask = ask;
  }

  /** The user to name in messages; undefined without credentials. */
  get user(): string | undefined {
    if (!this.#credentials) return undefined;
    return this.#credentials.kind === "basic" ? this.#credentials.username : "the token";
  }

  headers(): Record<string, string> {
    return this.#authorization ? { authorization: this.#authorization.reveal() } : {};
  }

  /** Tokens from now on shall allow these actions, `pull` or `push`, whatever a challenge asks for. */
  want(repository: string, ...actions: string[]): void {
    this.#widen(`repository:${repository}`, actions);
  }

  /** Whether the request is worth another try with what was learnt from the `www-authenticate` header of a 401. */
  async learn(header: string | null): Promise<boolean> {
    const challenges = parseChallenges(header ?? "");
    const basicOffered = challenges.some(({ scheme }) => scheme === "basic");
    const realm = challenges.find(({ scheme, parameters }) => scheme === "bearer" && parameters.realm);
    const credentials = this.#credentials;
    if (credentials?.kind === "bearer") {
      if (!isSendable(credentials.token.reveal()))
        throw new KeywayError("the registry's token can't be sent: it holds a line break, a space or the like", {
          next: "see that KEYWAY_REGISTRY_TOKEN, or what `docker login` left, holds the token and nothing else",
        });
      return (realm !== undefined || !basicOffered) && this.#take(`Bearer ${credentials.token.reveal()}`);
    }
    if (realm) {
      this.#authorization = await this.#token(realm);
      return true;
    }
    return credentials?.kind === "basic" && basicOffered && this.#take(basic(credentials));
  }

  /** False when this was sent already, and so is refused. */
  #take(authorization: string): boolean {
    if (this.#authorization?.reveal() === authorization) return false;
    this.#authorization = new Secret(authorization);
    return true;
  }

  #widen(resource: string, actions: readonly string[]): void {
    this.#scopes.set(resource, new Set([...(this.#scopes.get(resource) ?? []), ...actions]));
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
    for (const wanted of scope?.split(" ") ?? []) {
      const [, resource, actions] = /^(.+):([^:]+)$/.exec(wanted) ?? [];
      if (resource !== undefined && actions !== undefined) this.#widen(resource, actions.split(","));
    }
    const answer = await this.#ask(this.#tokenRequest(url, service));
    const token = answer.status === 200 ? tokenIn(answer.body) : undefined;
    if (token) return new Secret(`Bearer ${token}`);
    throw this.#refused(answer);
  }

  #refused({ status, where, headers, url }: HttpAnswer): KeywayError {
    if (status === 429 || status >= 500) {
      const next = "look into the token service's log, then run the command again";
      return new CutOff(`the token service ${url.host} answers ${status}`, { where, next }, headers.get("retry-after"));
    }
    const [what, next] =
      status !== 401 && status !== 403
        ? [`the token service answers ${status} and no token`, "ask the registry's owner"]
        : this.user === undefined
          ? [
              "the token service wants a login",
              this.withheld ?? "run `docker login`, or give --username and --password-stdin",
            ]
          : [
              `the token service does not accept the credentials of ${this.user}`,
              "log in again with `docker login`, or give --username and --password-stdin",
            ];
    return new KeywayError(what, { where, next });
  }

  #tokenRequest(url: URL, service: string | undefined): TokenRequest {
    const scopes = [...this.#scopes].map(([resource, actions]) => `${resource}:${[...actions].join(",")}`);
    const credentials = this.#credentials;
    if (credentials?.kind === "identity") {
      const form = new URLSearchParams({ grant_type: "refresh_token", client_id: "keyway", scope: scopes.join(" ") });
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
    for (const scope of scopes) url.searchParams.append("scope", scope);
    return { method: "GET", url, headers: credentials?.kind === "basic" ? { authorization: basic(credentials) } : {} };
  }
}

function basic({ username, password }: { username: string; password: Secret }): string {
  return `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString("base64")}`;
}

/** Whether a header can carry it. What can't be sent must not come into an error of the HTTP client, which would print it. */
function isSendable(token: string): boolean {
  return /^[\x21-\x7e]+$/.test(token);
}

function tokenIn(body: Buffer): string | undefined {
  try {
    const { token, access_token } = JSON.parse(body.toString("utf8")) as { token?: unknown; access_token?: unknown };
    return [token, access_token].filter((one) => typeof one === "string").find(isSendable);
  } catch {
    return undefined;
  }
}
