import { type Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { KeywayError } from "../errors.ts";
import { readUpTo } from "../net/body.ts";
import { withLimit } from "../net/limit.ts";
import { retryAfter } from "../net/retry-after.ts";
import { agentFor } from "./agent.ts";
import { isCut, unreachable } from "./api-errors.ts";
import { type ClientCertificate, Credentials, type Headers } from "./credentials.ts";
import type { ClusterAccess, Env } from "./kubeconfig.ts";

export interface ApiRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below the server's address, with its query. */
  path: string;
  /** Sent as JSON. */
  body?: unknown;
  contentType?: string;
  /** Verb and thing, for errors. */
  doing: string;
  /** Whether the request may be sent again although the first may have been carried out. */
  repeatable: boolean;
  /** Further tries when the server says that it can't now; several unless said. */
  tries?: number;
}

export interface Answer {
  code: number;
  retryAfter: string | undefined;
  body: string;
}

/** Milliseconds until the answer to one question begins, all its tries counted. */
const READ_LIMIT = 15_000;
/** An admission webhook may take 30 s alone. */
const WRITE_LIMIT = 35_000;
const TRIES = 6;
const FIRST_PAUSE = 250; // ms, doubled at each try
/** Bytes of an answer. */
const LARGEST = 256 * 1024 * 1024;

/** One API server: requests with credentials, time limits and further tries. */
export class Transport {
  readonly server: URL;
  readonly #access: ClusterAccess;
  readonly #credentials: Credentials;
  readonly #env: Env;
  #agent: Agent | undefined;
  #certificate: ClientCertificate | undefined;

  constructor(access: ClusterAccess, env: Env) {
    this.#access = access;
    this.#env = env;
    this.#credentials = new Credentials(access, env);
    this.server = serverUrl(access);
  }

  /** Any status is an answer but 401, which throws. */
  async send(request: ApiRequest, signal: AbortSignal): Promise<Answer> {
    const answer = await this.#persist(request, signal);
    if (answer.code !== 401 || !this.#credentials.renew()) return answer;
    return this.#persist(request, signal);
  }

  /** What another protocol needs to connect to the server as this user. */
  async dial(signal: AbortSignal): Promise<{ agent: Agent; headers: Headers }> {
    const headers = await this.#credentials.headers(signal);
    const certificate = await this.#credentials.certificate(signal);
    // Connections are kept as long as the certificate is the same.
    if (this.#agent === undefined || !isDeepStrictEqual(certificate, this.#certificate)) {
      this.#agent = await agentFor(this.server, this.#access.cluster, certificate, this.#env);
      this.#certificate = certificate;
    }
    return { agent: this.#agent, headers };
  }

  /** The server's address with a path below it: some clusters have an address with a path of its own. */
  at(path: string): URL {
    return new URL(`${this.server.pathname.replace(/\/$/, "")}${path}`, this.server);
  }

  async #persist(request: ApiRequest, signal: AbortSignal): Promise<Answer> {
    const dialed = await this.dial(signal);
    const where = `${this.server.href}, to ${request.doing}`;
    const limit = { ms: request.method === "GET" ? READ_LIMIT : WRITE_LIMIT, signal, who: "the API server", where };
    const { tries = TRIES } = request;
    const until = Date.now() + limit.ms;
    return withLimit(limit, async (ended, alive) => {
      for (let attempt = 1; ; attempt++) {
        const outcome = await this.#exchange(request, dialed, ended, alive).catch((thrown: unknown) => {
          if (isCut(thrown) && request.repeatable && attempt < tries && !ended.aborted) return undefined;
          throw thrown;
        });
        const wait = pauseBefore(outcome, attempt);
        const over = attempt >= tries || Date.now() + wait > until;
        if (outcome !== undefined && (over || !mayPass(outcome, request.repeatable))) return outcome;
        await pause(wait, undefined, { signal: ended });
      }
    }).catch((thrown: unknown) => {
      if (signal.aborted || thrown instanceof KeywayError || isOurs(thrown)) throw thrown;
      throw unreachable(thrown, this.server.href);
    });
  }

  #exchange(
    { method, path, body, contentType = "application/json" }: ApiRequest,
    { agent, headers }: { agent: Agent; headers: Headers },
    signal: AbortSignal,
    alive: () => void,
  ): Promise<Answer> {
    const send = this.server.protocol === "https:" ? httpsRequest : httpRequest;
    const text = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const content = text && { "content-type": contentType, "content-length": String(text.length) };
    const sent = { accept: "application/json, */*", "user-agent": "keyway", ...headers, ...content };
    return new Promise((resolve, reject) => {
      const request = send(this.at(path), { method, agent, headers: sent, signal }, (response) => {
        readBody(response, alive).then((read) => {
          const { statusCode: code = 0, headers } = response;
          resolve({ code, retryAfter: headers["retry-after"], body: read });
        }, reject);
      });
      request.on("error", reject);
      request.end(text);
    });
  }
}

function serverUrl({ cluster }: ClusterAccess): URL {
  const secure = cluster["certificate-authority"] ?? cluster["certificate-authority-data"];
  const text = cluster.server.includes("://") ? cluster.server : `${secure ? "https" : "http"}://${cluster.server}`;
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return new URL(text);
  throw new KeywayError(`the kubeconfig names a server that is no address: ${cluster.server}`, {
    next: "write it like https://HOST:6443",
  });
}

async function readBody(response: IncomingMessage, alive: () => void): Promise<string> {
  const body = await readUpTo(LARGEST, response, alive);
  if (body === undefined) {
    throw new KeywayError(`the API server sends an answer of more than ${LARGEST} bytes`, {
      next: "see that the kubeconfig's server, and its proxy if it has one, are right",
    });
  }
  return body.toString("utf8");
}

/** A mistake in this program. What fails on the network, or in Node.js for what it is given, has a code. */
function isOurs(thrown: unknown): boolean {
  return thrown instanceof TypeError && !("code" in thrown);
}

/** Whether the same request may be answered otherwise a little later. 429 is said before anything is done. */
function mayPass({ code }: Answer, repeatable: boolean): boolean {
  return code === 429 || (repeatable && [502, 503, 504].includes(code));
}

/** Milliseconds. */
function pauseBefore(outcome: Answer | undefined, attempt: number): number {
  return retryAfter(outcome?.retryAfter) ?? FIRST_PAUSE * 2 ** (attempt - 1);
}
