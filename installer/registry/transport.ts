import { KeywayError } from "../../shared/errors.ts";
import { retryAfter } from "../../shared/net/retry-after.ts";
import { Unreachable } from "../../shared/net/unreachable.ts";
import { type Found, Login } from "./auth.ts";
import { integrityError } from "./errors.ts";
import { Http, type HttpAnswer } from "./http.ts";

export interface Ask {
  method: "GET" | "HEAD" | "POST" | "PUT";
  /** Absolute, or from the registry's root. */
  url: string | URL;
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer> | string;
}

export interface Answer extends HttpAnswer {
  /** Whether the registry itself answers, and no address that it led to. */
  own: boolean;
  /** Whether the request carried a login. */
  authorized: boolean;
}

export interface TransportOptions {
  host: string;
  /** Plain HTTP. */
  insecure: boolean;
  login: Found;
  /** Names the proxies. */
  env: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
  /** Milliseconds for one request and its answer; a minute unless said. */
  timeout?: number;
  /** Waits before another try; rejects when the person interrupts, and when the time is up with why there had to be another try. */
  pause(ms: number, why: string): Promise<void>;
  /** Tells that a request failed and will be tried again. */
  retrying(why: string, ms: number): void;
}

const TRIES = 4;
const FIRST_WAIT = 500; // ms, doubled at each try
const LONGEST_WAIT = 30_000; // ms that a registry may ask for before we give up instead
const TIMEOUT = 60_000; // ms for one request and its answer
const PATIENCE = 120_000; // ms after which a question is not asked again
const REDIRECTS = 5;
const HUB = "registry-1.docker.io";

/** One registry: requests with login, redirects, time limits and further tries. */
export class Transport {
  readonly host: string;
  readonly login: Login;
  readonly #options: TransportOptions;
  readonly #root: URL;
  readonly #http: Http;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.host = options.host;
    const server = options.host === "docker.io" ? HUB : options.host;
    this.#root = new URL(`${options.insecure ? "http" : "https"}://${server}`);
    this.#http = new Http({ env: options.env, signal: options.signal, timeout: options.timeout ?? TIMEOUT });
    this.login = new Login(options.login, options.insecure, ({ url, ...request }) => this.#http.ask(url, request));
  }

  /** Repeats `attempt`, one request or several that belong together, while what goes wrong may pass. */
  async persist(attempt: () => Promise<Answer>): Promise<Answer> {
    const begun = Date.now();
    for (let tries = 1; ; tries++) {
      const outcome = await attempt().catch((thrown: unknown) => {
        if (thrown instanceof Unreachable && thrown.passing) return thrown;
        throw thrown;
      });
      const again = tries < TRIES && Date.now() - begun < PATIENCE;
      const wait = again ? waitAfter(outcome, FIRST_WAIT * 2 ** (tries - 1)) : undefined;
      if (wait === undefined) {
        if (outcome instanceof Unreachable) throw outcome;
        return outcome;
      }
      const why = outcome instanceof Unreachable ? outcome.message : `${outcome.url.host} answers ${outcome.status}`;
      this.#options.retrying(why, wait);
      await this.#options.pause(wait, why);
    }
  }

  /** Sends one request, with the login that the registry asks for. Any status is an answer. */
  async send(ask: Ask): Promise<Answer> {
    const answer = await this.#follow(ask);
    // Only the registry itself may ask for its credentials, not an address that it leads to.
    if (answer.status !== 401 || !answer.own) return answer;
    return (await this.login.learn(answer.headers.get("www-authenticate"))) ? this.#follow(ask) : answer;
  }

  async #follow(ask: Ask): Promise<Answer> {
    let url = new URL(ask.url, this.#root);
    for (let hops = 0; ; hops++) {
      const answer = await this.#exchange(ask, url);
      const location = answer.headers.get("location");
      if (answer.status < 300 || answer.status > 399 || location === null) return answer;
      if (hops === REDIRECTS) throw integrityError(this.host, "redirects in circles", answer.where);
      if (!URL.canParse(location, url))
        throw integrityError(this.host, "redirects to what is no address", answer.where);
      url = new URL(location, url);
    }
  }

  async #exchange({ method, headers = {}, body }: Ask, url: URL): Promise<Answer> {
    if (url.protocol !== this.#root.protocol && url.protocol !== "https:") {
      const where = `${method} ${url.origin}${url.pathname}`;
      throw new KeywayError(`${this.host} leads from https:// to an unprotected address`, {
        where,
        next: "does it know that it stands behind TLS? Look for its setting of the external URL",
      });
    }
    const own = url.origin === this.#root.origin;
    const authorization = own ? this.login.headers() : {};
    const answer = await this.#http.ask(url, {
      method,
      headers: { "user-agent": "keyway", ...headers, ...authorization },
      ...(body !== undefined && { body }),
    });
    return { ...answer, own, authorized: "authorization" in authorization };
  }
}

/** Milliseconds until another try makes sense; undefined when none does. */
function waitAfter(outcome: Answer | Unreachable, usual: number): number | undefined {
  const failed = outcome instanceof Unreachable;
  if (!failed && outcome.status !== 429 && outcome.status < 500) return undefined;
  const wait = retryAfter(failed ? outcome.retryAfter : outcome.headers.get("retry-after")) ?? usual;
  return wait <= LONGEST_WAIT ? wait : undefined;
}
