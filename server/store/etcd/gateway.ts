// A client of etcd's JSON gateway: the same calls as its gRPC API, with keys and values in base64 and numbers as texts.
import { Agent, request } from "undici";
import { KeywayError, printable, reason } from "../../../shared/errors.ts";
import { withLimit } from "../../../shared/net/limit.ts";
import { Unavailable } from "../store.ts";

export interface GatewaySettings {
  /** `http://HOST:PORT` or `https://…`, of the members of one cluster. */
  endpoints: readonly string[];
  user?: string;
  password?: string;
  /** PEM texts. */
  ca?: string;
  cert?: string;
  key?: string;
  /** Milliseconds that one member is waited for. */
  answerMs: number;
}

/** Codes of gRPC. */
const UNAUTHENTICATED = 16;
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;
const UNAVAILABLE = 14;

/** etcd has refused a call, for good. */
export class Refused extends KeywayError {
  override name = "Refused";
  readonly code: number;

  constructor(code: number, what: string, where: string) {
    super(`etcd refuses: ${printable(what)}`, { where, next: nextOf(what) });
    this.code = code;
  }

  get isFull(): boolean {
    return this.code === RESOURCE_EXHAUSTED && /space exceeded/.test(this.message);
  }
}

/** No member has answered. */
export class NoMember extends Unavailable {
  override name = "NoMember";
  /** Whether none of them has carried the call out for sure. */
  readonly wasNeverSent: boolean;

  constructor(what: string, where: string, wasNeverSent: boolean) {
    const next = "see whether etcd runs and has a leader (`etcdctl endpoint status`)";
    super(what, { where, next });
    this.wasNeverSent = wasNeverSent;
  }
}

/** Asks the members of one cluster in turn: it stays with the one that has answered last. */
export class Gateway {
  readonly #settings: GatewaySettings;
  readonly #agent: Agent;
  #current = 0;
  #token: string | undefined;

  constructor(settings: GatewaySettings) {
    this.#settings = settings;
    const { ca, cert, key } = settings;
    this.#agent = new Agent({
      connectTimeout: settings.answerMs,
      connect: {
        ...(ca !== undefined && { ca }),
        ...(cert !== undefined && { cert }),
        ...(key !== undefined && { key }),
      },
    });
  }

  /** The answer's JSON. Every member is tried once, so a call may be carried out twice. */
  async call<Answer>(path: string, body: object, signal: AbortSignal): Promise<Answer> {
    const failures: string[] = [];
    let wasNeverSent = true;
    for (let tries = this.#settings.endpoints.length; tries > 0; tries--) {
      const endpoint = this.#endpoint();
      const limit = { ms: this.#settings.answerMs, signal, who: "etcd", where: endpoint };
      try {
        return await withLimit(limit, (ended) => this.#ask<Answer>(endpoint, path, body, ended));
      } catch (thrown) {
        if (signal.aborted || (thrown instanceof Refused && !isPassing(thrown))) throw thrown;
        failures.push(`${endpoint}: ${reason(thrown)}`);
        wasNeverSent &&= isWithoutEffect(thrown);
        this.#current++;
      }
    }
    const what = `no member of etcd answers: ${failures.join("; ")}`;
    throw new NoMember(what, this.#settings.endpoints.join(","), wasNeverSent);
  }

  /** The answers of a stream, until it breaks, `silentMs` pass without one, or the signal is aborted. Throws whatever ends it. */
  async *stream<Answer>(path: string, body: object, signal: AbortSignal, silentMs: number): AsyncGenerator<Answer> {
    const endpoint = this.#endpoint();
    try {
      const { body: lines } = await request(endpoint + path, {
        method: "POST",
        headers: await this.#headers(endpoint, signal),
        body: JSON.stringify(body),
        dispatcher: this.#agent,
        signal,
        headersTimeout: this.#settings.answerMs,
        bodyTimeout: silentMs,
      });
      let rest = "";
      lines.setEncoding("utf8");
      for await (const part of lines) {
        rest += part;
        const ends = rest.split("\n");
        rest = ends.pop() ?? "";
        for (const line of ends) if (line !== "") yield resultOf<Answer>(JSON.parse(line), endpoint);
      }
      throw new Error("the stream has ended");
    } catch (thrown) {
      this.#current++;
      throw thrown;
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #endpoint(): string {
    const { endpoints } = this.#settings;
    return `${endpoints[this.#current % endpoints.length]}`;
  }

  async #ask<Answer>(endpoint: string, path: string, body: object, signal: AbortSignal): Promise<Answer> {
    for (let again = true; ; again = false) {
      const answer = await request(endpoint + path, {
        method: "POST",
        headers: await this.#headers(endpoint, signal),
        body: JSON.stringify(body),
        dispatcher: this.#agent,
        signal,
      });
      const text = await answer.body.text();
      try {
        return resultOf<Answer>(parse(text, answer.statusCode), endpoint);
      } catch (thrown) {
        // Tokens end by themselves; a new one is asked for once.
        if (!again || !(thrown instanceof Refused) || this.#token === undefined || !isTokenOver(thrown)) throw thrown;
        this.#token = undefined;
      }
    }
  }

  async #headers(endpoint: string, signal: AbortSignal): Promise<Record<string, string>> {
    const { user, password = "" } = this.#settings;
    const headers = { "content-type": "application/json" };
    if (user === undefined) return headers;
    if (this.#token === undefined) {
      const answer = await request(`${endpoint}/v3/auth/authenticate`, {
        method: "POST",
        headers,
        body: JSON.stringify({ name: user, password }),
        dispatcher: this.#agent,
        signal,
      });
      const { token } = resultOf<{ token: string }>(parse(await answer.body.text(), answer.statusCode), endpoint);
      this.#token = token;
    }
    return { ...headers, authorization: this.#token };
  }
}

interface Failure {
  code?: number;
  grpc_code?: number;
  message?: string;
  error?: string;
}

function parse(text: string, status: number): object {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`answers ${status} with what is no JSON: ${printable(text)}`);
  }
}

/** What stands in an answer, of a stream or not; throws Refused where that is a refusal. */
function resultOf<Answer>(answer: object, where: string): Answer {
  const { result = answer, error } = answer as { result?: object; error?: Failure | string };
  const failure: Failure | undefined =
    typeof error === "object" ? error : error === undefined ? undefined : (answer as Failure);
  if (failure === undefined) return result as Answer;
  throw new Refused(failure.code ?? failure.grpc_code ?? 0, `${failure.message ?? failure.error}`, where);
}

const NOT_CONNECTED = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Whether the member has not carried the call out: there was no connection, or no leader. */
function isWithoutEffect(thrown: unknown): boolean {
  if (thrown instanceof Refused) return /no leader/.test(thrown.message);
  return NOT_CONNECTED.has(`${(thrown as { code?: unknown }).code}`);
}

const isPassing = ({ code }: Refused): boolean => code === UNAVAILABLE || code === DEADLINE_EXCEEDED;
const isTokenOver = ({ code, message }: Refused): boolean => code === UNAUTHENTICATED || /auth token/.test(message);

function nextOf(what: string): string {
  if (/space exceeded/.test(what)) return "make room: compact and defragment etcd, then `etcdctl alarm disarm`";
  if (/auth|permission|user/.test(what))
    return "give --etcd-user and --etcd-password-file of somebody who may read and write /keyway/";
  return "look at etcd's own log";
}
