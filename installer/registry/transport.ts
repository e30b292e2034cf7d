import { KeywayError } from "../cli/errors.ts";
import { Login, type TokenRequest } from "./auth.ts";
import type { Credentials } from "./credentials.ts";
import { lie, Unreachable, unreachable } from "./errors.ts";

export interface Ask {
  method: "GET" | "HEAD" | "POST" | "PUT";
  /** Absolute, or from the registry's root. */
  url: string | URL;
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer> | string;
}

export interface Answer {
  status: number;
  headers: Headers;
  body: Buffer;
  url: URL;
  /** Method and address, without the query, in which registries hide secrets of theirs. */
  where: string;
}

export interface TransportOptions {
  host: string;
  /** Plain HTTP. */
  insecure: boolean;
  credentials: Credentials | undefined;
  signal: AbortSignal;
  /** Waits; rejects when the person interrupts. */
  pause(ms: number): Promise<void>;
  /** Tells that a request failed and will be tried again. */
  retrying(why: string, ms: number): void;
}

const TRIES = 4;
const FIRST_WAIT = 500; // ms, doubled at each try
const LONGEST_WAIT = 30_000; // ms that a registry may ask for before we give up instead
const TIMEOUT = 60_000; // ms for one request and its answer
const LARGEST = 64 * 1024 * 1024; // bytes of an answer
const REDIRECTS = 5;

/** One registry: requests with login, redirects, time limits and further tries. */
export class Transport {
  readonly host: string;
  readonly #options: TransportOptions;
  readonly #root: URL;
  readonly #login: Login;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.host = options.host;
    const server = options.host === "docker.io" ? "registry-1.docker.io" : options.host;
    this.#root = new URL(`${options.insecure ? "http" : "https"}://${server}`);
    this.#login = new Login(options.credentials, options.insecure, (request) => this.#token(request));
  }

  get user(): string | undefined {
    return this.#login.user;
  }

  /** Repeats `attempt`, one request or several that belong together, while what goes wrong may pass. */
  async persist(attempt: () => Promise<Answer>): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      const outcome = await attempt().catch((thrown: unknown) => {
        if (thrown instanceof Unreachable && thrown.passing) return thrown;
        throw thrown;
      });
      const wait = tries < TRIES ? waitAfter(outcome, FIRST_WAIT * 2 ** (tries - 1)) : undefined;
      if (wait === undefined) {
        if (outcome instanceof Unreachable) throw outcome;
        return outcome;
      }
      this.#options.retrying(
        outcome instanceof Unreachable ? outcome.message : `${this.host} answers ${outcome.status}`,
        wait,
      );
      await this.#options.pause(wait);
    }
  }

  /** Sends one request, with the login that the registry asks for. Any status is an answer. */
  async send(ask: Ask): Promise<Answer> {
    const answer = await this.#follow(ask);
    const challenge = answer.headers.get("www-authenticate");
    if (answer.status !== 401 || challenge === null || !(await this.#login.learn(challenge))) return answer;
    return this.#follow(ask);
  }

  async #follow(ask: Ask): Promise<Answer> {
    let url = new URL(ask.url, this.#root);
    for (let hops = 0; ; hops++) {
      const answer = await this.#exchange(ask, url);
      const location = answer.headers.get("location");
      if (answer.status < 300 || answer.status > 399 || location === null) return answer;
      if (hops === REDIRECTS) throw lie(this.host, "redirects in circles", answer.where);
      url = new URL(location, url);
    }
  }

  async #exchange({ method, headers = {}, body }: Ask, url: URL): Promise<Answer> {
    const where = `${method} ${url.origin}${url.pathname}`;
    if (url.protocol !== this.#root.protocol && url.protocol !== "https:") {
      throw lie(
        this.host,
        "leads from https:// to an unprotected address (does it know that it stands behind TLS?)",
        where,
      );
    }
    const own = url.origin === this.#root.origin ? this.#login.headers() : {};
    return this.#fetch(url, {
      method,
      headers: { "user-agent": "keyway", ...headers, ...own },
      ...(body !== undefined && { body }),
    });
  }

  async #token({ url, ...request }: TokenRequest): Promise<Answer> {
    return this.#fetch(url, request);
  }

  async #fetch(url: URL, request: RequestInit & { method: string }): Promise<Answer> {
    const { signal } = this.#options;
    const where = `${request.method} ${url.origin}${url.pathname}`;
    try {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]);
      const response = await fetch(url, { ...request, redirect: "manual", signal: limited });
      const body = await readBody(response);
      if (!body) throw lie(this.host, `sends more than ${LARGEST} bytes`, where);
      return { status: response.status, headers: response.headers, body, url, where };
    } catch (thrown) {
      if (signal.aborted || thrown instanceof KeywayError) throw thrown;
      throw unreachable(thrown, url.host, where);
    }
  }
}

async function readBody(response: Response): Promise<Buffer | undefined> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body ?? []) {
    pieces.push(piece);
    size += piece.length;
    if (size > LARGEST) return undefined;
  }
  return Buffer.concat(pieces);
}

/** Milliseconds until another try makes sense; undefined when none does. */
function waitAfter(outcome: Answer | Unreachable, usual: number): number | undefined {
  if (outcome instanceof Unreachable) return usual;
  if (outcome.status !== 429 && outcome.status < 500) return undefined;
  const asked = outcome.headers.get("retry-after");
  if (asked === null) return usual;
  const wait = /^\d+$/.test(asked) ? Number(asked) * 1000 : Date.parse(asked) - Date.now();
  return wait <= LONGEST_WAIT ? Math.max(wait, 0) : undefined;
}
