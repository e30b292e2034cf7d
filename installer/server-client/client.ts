import { Readable } from "node:stream";
import { Agent, type Dispatcher, fetch, ProxyAgent, type Response } from "undici";
import type { z } from "zod";
import type { StoredRoute } from "../../routes/model/live-route.ts";
import type { Applied, Apply, ProxyCounts as Counts, Renewed, RouteList } from "../../server/api/schemas.ts";
import { KeywayError } from "../../shared/errors.ts";
import { readUpTo } from "../../shared/net/body.ts";
import { NoAnswer, pause, withLimit } from "../../shared/net/limit.ts";
import { proxyBeyondLoopback } from "../../shared/net/proxy.ts";
import { retryAfter } from "../../shared/net/retry-after.ts";
import { isNetworkFailure, Unreachable, unreachable } from "../../shared/net/unreachable.ts";
import type { Secret } from "../cli/secret.ts";
import { notUnderstood, parsed, refusal } from "./refusal.ts";

export interface ServerOptions {
  url: URL;
  token: Secret | undefined;
  /** Names the proxies. */
  env: Readonly<Record<string, string | undefined>>;
  /** Ends everything that waits. */
  signal: AbortSignal;
  /** Milliseconds without a sign of life until the server counts as silent. */
  patience?: number;
  /** What to do where nothing listens. */
  notThere?: string;
}

/** What routes are listed by; all of it must hold. */
export interface ListFilter {
  service?: string;
  from?: string;
  key?: string;
  owner?: string;
  labels?: readonly string[];
}

export type ProxyCounts = z.output<typeof Counts>;

interface Ask {
  method: "GET" | "POST";
  path: string;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  /** Tells how many bytes of the body are sent, of how many. */
  sent?: (bytes: number, total: number) => void;
}

const PATIENCE = 30_000; // ms
const TRIES = 4;
const FIRST_PAUSE = 200; // ms, doubled at each try
const LONGEST_PAUSE = 5_000; // ms that a server may ask for
const PAGE = 1000; // routes
const LARGEST = 256 * 1024 * 1024; // bytes of an answer
const PIECE = 64 * 1024; // bytes of a body that are sent at once

/** A route server's REST interface, asked as one client. Every failure is a KeywayError. */
export class RouteServer {
  readonly #options: ServerOptions;
  readonly #base: string;
  #dispatcher: Dispatcher | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#base = options.url.href.replace(/\/$/, "");
  }

  /** All routes that the filter fits, by id, and the table's revision; `told` hears how many there are so far. */
  async list(
    filter: ListFilter,
    told: (routes: number) => void = () => {},
  ): Promise<{ routes: StoredRoute[]; revision: number }> {
    const { labels = [], ...rest } = filter;
    const query = new URLSearchParams(Object.entries(rest).filter(([, value]) => value !== undefined));
    for (const label of labels) query.append("label", label);
    query.set("limit", String(PAGE));
    const routes: StoredRoute[] = [];
    for (;;) {
      const page = await this.#json<z.output<typeof RouteList>>(
        { method: "GET", path: `/v1/routes?${query}` },
        "routes",
      );
      routes.push(...(page.routes as StoredRoute[]));
      told(routes.length);
      if (page.next === undefined) return { routes, revision: page.revision };
      query.set("cursor", page.next);
    }
  }

  /** How often the table has changed so far. */
  async revision(): Promise<number> {
    const ask: Ask = { method: "GET", path: "/v1/routes?limit=1" };
    return (await this.#json<z.output<typeof RouteList>>(ask, "revision")).revision;
  }

  /** Undefined where there is no such route. */
  async get(id: string): Promise<StoredRoute | undefined> {
    const answer = await this.#send({ method: "GET", path: pathOf(id) });
    if (answer.status === 404 && (parsed(answer.body) as { error?: object } | undefined)?.error) return undefined;
    return this.#read<StoredRoute>(answer, "id");
  }

  /** One transaction; the answer is the table's revision with it. */
  async apply(transaction: z.input<typeof Apply>, sent?: Ask["sent"]): Promise<number> {
    const ask: Ask = { method: "POST", path: "/v1/routes:apply", body: transaction, ...(sent && { sent }) };
    return (await this.#json<z.output<typeof Applied>>(ask, "revision")).revision;
  }

  /** Undefined where there is no such route. */
  async renew(id: string, ttl: string): Promise<z.output<typeof Renewed> | undefined> {
    const answer = await this.#send({ method: "POST", path: `${pathOf(id)}:renew`, body: { ttl } });
    return answer.status === 404 ? undefined : this.#read<z.output<typeof Renewed>>(answer, "expires");
  }

  /** How many proxies have the table in force as of a revision, else as it is now. */
  proxies(revision: number | undefined): Promise<ProxyCounts> {
    const query = revision === undefined ? "" : `?revision=${revision}`;
    return this.#json<ProxyCounts>({ method: "GET", path: `/v1/proxies${query}` }, "inForce");
  }

  /** The stream of changes after an event. It ends when the server ends it, and fails as the network does. */
  async watch(lastEventId: string | undefined, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const headers = { accept: "text/event-stream", ...(lastEventId !== undefined && { "last-event-id": lastEventId }) };
    const ask: Ask = { method: "GET", path: "/v1/watch", headers };
    const stop = new AbortController();
    const end = () => stop.abort(signal.reason);
    signal.addEventListener("abort", end, { once: true });
    const response = await this.#limited(ask, signal, (ended) => {
      ended.addEventListener("abort", () => stop.abort(ended.reason), { once: true });
      return this.#fetch(ask, stop.signal);
    });
    if (response.ok && response.body && /^text\/event-stream\b/.test(response.headers.get("content-type") ?? "")) {
      return response.body;
    }
    const { status } = response;
    const body = (await readUpTo(PIECE, response.body))?.toString("utf8") ?? "";
    throw this.#refused({ ...ask, status, location: response.headers.get("location"), body });
  }

  async #json<Answer extends object>(ask: Ask, field: keyof Answer & string): Promise<Answer> {
    return this.#read<Answer>(await this.#send(ask), field);
  }

  #read<Answer extends object>(answer: Received, field: keyof Answer & string): Answer {
    if (answer.status >= 300) throw this.#refused(answer);
    const value = parsed(answer.body);
    if (typeof value === "object" && value !== null && field in value) return value as Answer;
    throw notUnderstood(this.#where(answer));
  }

  /**
   * A question may be asked again whatever became of it. A change is sent again only where the server says that nothing of it was kept, by
   * retry-after: what others have written since would be written over, were it carried out twice.
   */
  async #send(ask: Ask): Promise<Received> {
    const { signal } = this.#options;
    const isQuestion = ask.method === "GET";
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#once(ask).catch((thrown: unknown) => {
        if (!(thrown instanceof Unreachable) || !thrown.passing) throw thrown;
        if (!isQuestion) throw lostAnswer(thrown, this.#where(ask));
        if (attempt < TRIES) return thrown;
        throw thrown;
      });
      const failed = outcome instanceof Unreachable;
      const passing = failed || (isPassing(outcome) && (isQuestion || outcome.retryAfter !== null));
      if (!failed && (!passing || attempt >= TRIES)) return outcome;
      const asked = failed ? undefined : retryAfter(outcome.retryAfter);
      const wait = Math.max(asked ?? 0, FIRST_PAUSE * 2 ** (attempt - 1));
      await pause(Math.min(wait, LONGEST_PAUSE), signal);
    }
  }

  #once(ask: Ask): Promise<Received> {
    return this.#limited(ask, this.#options.signal, async (ended, moved) => {
      const response = await this.#fetch(ask, ended, moved);
      const body = await readUpTo(LARGEST, response.body, moved);
      if (body === undefined) throw notUnderstood(this.#where(ask));
      const { status, headers } = response;
      const [location, retryAfter] = [headers.get("location"), headers.get("retry-after")];
      return { ...ask, status, location, retryAfter, body: body.toString("utf8") };
    });
  }

  #fetch(ask: Ask, signal: AbortSignal, moved: () => void = () => {}): Promise<Response> {
    const { url, env, token } = this.#options;
    const proxy = proxyBeyondLoopback(url, env);
    this.#dispatcher ??= proxy === undefined ? new Agent(TIMEOUTS) : new ProxyAgent({ ...TIMEOUTS, uri: proxy.href });
    const { method, path, body, headers, sent } = ask;
    const text = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    return fetch(`${this.#base}${path}`, {
      method,
      redirect: "manual",
      signal,
      dispatcher: this.#dispatcher,
      headers: {
        "user-agent": "keyway",
        accept: "application/json",
        ...headers,
        ...(token && { authorization: `Bearer ${token.reveal()}` }),
        ...(text && { "content-type": "application/json" }),
      },
      ...(text && { body: text.length > PIECE ? pieces(text, moved, sent) : text, duplex: "half" }),
    });
  }

  /** Runs work that ends after some time without a sign of life, which it gives by its second argument. */
  async #limited<T>(
    ask: Ask,
    signal: AbortSignal,
    work: (ended: AbortSignal, moved: () => void) => Promise<T>,
  ): Promise<T> {
    const { url, env, patience: ms = PATIENCE, notThere } = this.#options;
    const where = this.#where(ask);
    try {
      return await withLimit({ ms, signal, who: `the route server ${url.host}`, where }, work);
    } catch (thrown) {
      if (thrown instanceof NoAnswer) {
        const next = "see that it is well, and the network on the way to it; then run the command again";
        throw new KeywayError(thrown.message, { where, next, cause: thrown });
      }
      if (signal.aborted || thrown instanceof KeywayError || !isNetworkFailure(thrown)) throw thrown;
      throw unreachable(thrown, {
        host: url.host,
        where,
        proxy: proxyBeyondLoopback(url, env),
        kind: "route server",
        withoutTls: "if it is meant to be plain HTTP, write http:// before its name",
        ...(notThere !== undefined && { notThere }),
      });
    }
  }

  #where({ method, path }: { method: string; path: string }): string {
    return `${method} ${this.#base}${path.replace(/\?.*/, "")}`;
  }

  #refused(answer: Omit<Received, "retryAfter">): KeywayError {
    return refusal({ ...answer, where: this.#where(answer), authorized: this.#options.token !== undefined });
  }
}

const isPassing = ({ status }: Received) => status === 503 || status === 429;

/** Whether a change has happened is not known. */
function lostAnswer(cut: Unreachable, where: string): KeywayError {
  return new KeywayError(`${cut.message}; the change may have happened all the same`, {
    where,
    next: "see what is there (`keyway route list`), and run the command again: what is there already stays as it is",
    cause: cut,
  });
}

interface Received {
  method: string;
  path: string;
  status: number;
  location: string | null;
  retryAfter: string | null;
  body: string;
}

/** Silence is for `withLimit` to end, which says whom it waited for. */
const TIMEOUTS = { headersTimeout: 0, bodyTimeout: 0 };

const pathOf = (id: string): string => `/v1/routes/${encodeURIComponent(id)}`;

function pieces(text: Buffer, moved: () => void, sent: Ask["sent"] = () => {}): Readable {
  function* all() {
    for (let at = 0; at < text.length; at += PIECE) {
      yield text.subarray(at, at + PIECE);
      moved();
      sent(Math.min(at + PIECE, text.length), text.length);
    }
  }
  return Readable.from(all());
}
