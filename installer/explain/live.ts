// Asks a real proxy for its decision about one request.
import { type IncomingMessage, request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import type { Pairs } from "../../routes/deciding/scan.ts";
import { HEADER_DECISION, HEADER_EXPLAIN } from "../../routes/model/names.ts";
import { KeywayError, reason } from "../../shared/errors.ts";
import { readUpTo } from "../../shared/net/body.ts";
import { NoAnswer, withLimit } from "../../shared/net/limit.ts";

/** What the proxy said; a newer filter may say more than `Explanation` has. */
export type LiveExplanation = Readonly<Record<string, unknown>>;

export interface Question {
  /** The proxy's listener; path and query count where `headers` have no `:path`. */
  url: URL;
  /** The request as HTTP/2 has it; values in Latin-1. */
  headers: Pairs;
  /** Seconds for the whole answer. */
  timeout: number;
  /** Aborted when the person interrupts. */
  signal: AbortSignal;
}

const LARGEST = 64 * 1024; // bytes of an explanation

/** The proxy's own words; throws a KeywayError when there is no answer, or none that explains anything. */
export async function askProxy(question: Question): Promise<LiveExplanation> {
  const { url, timeout, signal } = question;
  try {
    return await withLimit({ ms: timeout * 1000, signal, who: url.origin, where: "--live" }, async (ended) => {
      const answer = await send(question, ended);
      const body = answer.headers[HEADER_DECISION] === undefined ? undefined : await readUpTo(LARGEST, answer);
      answer.destroy();
      return explanationIn(body?.toString("utf8") ?? "") ?? notExplained(url, answer);
    });
  } catch (thrown) {
    if (thrown instanceof NoAnswer) {
      throw new KeywayError(`${url.origin} did not answer within ${timeout} s`, {
        next: "look whether the proxy is well, or allow more time with --timeout",
        cause: thrown,
      });
    }
    if (signal.aborted || thrown instanceof KeywayError) throw thrown;
    throw new KeywayError(`can't ask ${url.origin}: ${reason(thrown)}`, {
      next: "give the address of a proxy's listener; `kubectl port-forward POD 8080` makes one of a pod reachable",
      cause: thrown,
    });
  }
}

function send({ url, headers }: Question, signal: AbortSignal): Promise<IncomingMessage> {
  const named = (name: string) => headers.find(([own]) => own === name)?.[1];
  const others = headers.filter(([name]) => !name.startsWith(":") && name !== HEADER_EXPLAIN);
  const authority = named(":authority") ?? url.host;
  const start = url.protocol === "https:" ? tlsRequest : plainRequest;
  return new Promise((resolve, reject) => {
    start(url, {
      method: named(":method") ?? "GET",
      path: named(":path") ?? url.pathname + url.search,
      headers: [["host", authority], ...others, [HEADER_EXPLAIN, "1"]].flat() as string[],
      agent: false,
      signal,
    })
      .on("response", resolve)
      .on("error", reject)
      .end();
  });
}

/** Undefined for what is no explanation. */
function explanationIn(body: string): LiveExplanation | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && "outcome" in value && "why" in value
      ? { ...value }
      : undefined;
  } catch {
    return undefined;
  }
}

function notExplained(url: URL, { statusCode, headers }: IncomingMessage): never {
  const server = headers.server === undefined ? "" : ` (server: ${headers.server})`;
  throw new KeywayError(
    `${url.origin} answered ${statusCode}${server} without an explanation; the request went on like any other`,
    {
      next: "set `explain: true` beside that proxy's routes and ask again; where no Keyway filter is, nothing explains",
    },
  );
}
