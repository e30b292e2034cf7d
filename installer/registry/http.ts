import { Agent, type Dispatcher, fetch, ProxyAgent } from "undici";
import { KeywayError } from "../../shared/errors.ts";
import { readUpTo } from "../../shared/net/body.ts";
import { NoAnswer, withLimit } from "../../shared/net/limit.ts";
import { proxyFor } from "../../shared/net/proxy.ts";
import { CutOff, isNetworkFailure, unreachable } from "../../shared/net/unreachable.ts";
import { integrityError } from "./errors.ts";

export interface HttpRequest {
  method: "GET" | "HEAD" | "POST" | "PUT";
  headers: Record<string, string>;
  body?: Uint8Array<ArrayBuffer> | string;
}

export interface HttpAnswer {
  status: number;
  headers: { get(name: string): string | null };
  body: Buffer;
  url: URL;
  /** Method and address, without the query, in which registries hide secrets of theirs. */
  where: string;
}

export interface HttpOptions {
  /** Names the proxies. */
  env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the person interrupts. */
  signal: AbortSignal;
  /** Milliseconds for one request and its answer. */
  timeout: number;
}

const LARGEST = 64 * 1024 * 1024; // bytes of an answer

/** Requests with a limit of time and size, through the proxies that the environment names. It follows no redirect. */
export class Http {
  readonly #options: HttpOptions;
  readonly #dispatchers = new Map<string, Dispatcher>();

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  async ask(url: URL, request: HttpRequest): Promise<HttpAnswer> {
    const { env, signal, timeout } = this.#options;
    const where = `${request.method} ${url.origin}${url.pathname}`;
    const proxy = proxyFor(url, env);
    const dispatcher = this.#dispatcher(proxy);
    try {
      return await withLimit({ ms: timeout, signal, who: url.host, where }, async (ended) => {
        const response = await fetch(url, { ...request, redirect: "manual", signal: ended, dispatcher });
        const body = await readUpTo(LARGEST, response.body);
        if (!body) throw integrityError(url.host, `sends more than ${LARGEST} bytes`, where);
        return { status: response.status, headers: response.headers, body, url, where };
      });
    } catch (thrown) {
      if (thrown instanceof NoAnswer) {
        throw new CutOff(`${url.host} does not answer within ${timeout / 1000} s`, {
          where,
          next: "check that it runs, and the network on the way to it; then run the command again",
          cause: thrown,
        });
      }
      if (signal.aborted || thrown instanceof KeywayError || !isNetworkFailure(thrown)) throw thrown;
      const withoutTls = "if it is meant to be plain HTTP, add --insecure";
      throw unreachable(thrown, { host: url.host, where, proxy, kind: "registry", withoutTls });
    }
  }

  #dispatcher(proxy: URL | undefined): Dispatcher {
    const key = proxy?.href ?? "";
    const dispatcher = this.#dispatchers.get(key) ?? (proxy ? new ProxyAgent({ uri: proxy.href }) : new Agent());
    this.#dispatchers.set(key, dispatcher);
    return dispatcher;
  }
}
