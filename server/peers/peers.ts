// The other servers on the same store: each knows the proxies that ask it, and all of them together know all.
import { Agent, request } from "undici";
import type { z } from "zod";
import { printable, reason } from "../../shared/errors.ts";
import { readUpTo } from "../../shared/net/body.ts";
import { NoAnswer, withLimit } from "../../shared/net/limit.ts";
import { OwnProxies } from "../api/schemas.ts";
import type { Follower } from "../feed/followers.ts";

/** Another server, or this one: only its answer tells. */
export interface Peer {
  url: string;
  /** False where no proxy is sent to it at present: then it may as well be gone. */
  isReady: boolean;
}

/** A server whose proxies are not counted. */
export interface Missing {
  server: string;
  /** A whole sentence. */
  message: string;
}

export interface Asked {
  /** The followers of each server that has answered. */
  servers: Follower[][];
  missing: Missing[];
}

/** Who the other servers are. */
export interface Directory {
  find(): Promise<Peer[] | Missing>;
  close(): Promise<void>;
}

export interface PeersSettings {
  /** By which this server knows its own answer. */
  serverId: string;
  directory: Directory;
  /** The header by which the other servers know this one; undefined for none. */
  authorization(): Promise<string | undefined>;
  signal: AbortSignal;
  /** Milliseconds that one server may take to answer. */
  answerMs?: number;
}

const ANSWER_MS = 1000;
const LARGEST = 16 * 1024 * 1024; // bytes of an answer

/** Asks the other servers which proxies follow their tables there. */
export class Peers {
  readonly #settings: PeersSettings;
  readonly #agent = new Agent();
  /** Where this server itself answers. */
  readonly #own = new Set<string>();
  /** The question that was put last. */
  #latest: Promise<Asked> | undefined;
  /** The one after it, as long as it waits for that to be answered. */
  #next: Promise<Asked> | undefined;

  constructor(settings: PeersSettings) {
    this.#settings = settings;
  }

  /** Of many who ask at one time all have one answer. It is to none older than when it was asked for, so it is no question's that is under way. */
  ask(): Promise<Asked> {
    this.#next ??= this.#askAfter(this.#latest);
    return this.#next;
  }

  async #askAfter(before: Promise<Asked> | undefined): Promise<Asked> {
    await before?.catch(() => {});
    this.#latest = this.#next;
    this.#next = undefined;
    return this.#askAll();
  }

  /** All are asked at one time, and none for longer than the limit. Each server counts once, whatever addresses it has. */
  async #askAll(): Promise<Asked> {
    const { directory, authorization: authorize } = this.#settings;
    const found = await directory.find();
    if (!Array.isArray(found)) return { servers: [], missing: [found] };
    const others = found.filter(({ url }) => !this.#own.has(url));
    const authorization = await authorize();
    const answers = await Promise.all(others.map((peer) => this.#ask(peer, authorization)));
    const servers = new Map<string, Follower[]>();
    const missing: Missing[] = [];
    for (const answer of answers) {
      if (answer === undefined) continue;
      if ("message" in answer) missing.push(answer);
      else servers.set(answer.server, answer.followers);
    }
    servers.delete(this.#settings.serverId);
    return { servers: [...servers.values()], missing };
  }

  async close(): Promise<void> {
    await this.#settings.directory.close();
    await this.#agent.destroy();
  }

  /** Undefined for one that is not there and need not be. */
  async #ask({ url, isReady }: Peer, authorization: string | undefined) {
    const { signal, answerMs: ms = ANSWER_MS } = this.#settings;
    const server = new URL(url).host;
    const untold = (what: string): Missing => ({
      server,
      message: `server ${server} ${what}, so its proxies are not counted`,
    });
    try {
      const limit = { ms, signal, who: `server ${server}`, where: url };
      const { status, body, at } = await withLimit(limit, (ended) => this.#get(url, authorization, ended));
      if (status !== 200) return untold(`refuses to say which proxies it has (${status}: ${messageIn(body)})`);
      const answer = OwnProxies.safeParse(parsed(body));
      if (!answer.success) return untold("is no route server that says which proxies it has");
      if (answer.data.server === this.#settings.serverId) this.#own.add(url);
      return { server: answer.data.server, followers: answer.data.followers.map((one) => followerAt(one, at)) };
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      // Where nothing listens no proxy can have its table from.
      if (!isReady && (thrown as { code?: unknown }).code === "ECONNREFUSED") return undefined;
      if (thrown instanceof NoAnswer) return untold(`did not answer within ${ms / 1000} s`);
      return untold(`did not answer (${reason(thrown)})`);
    }
  }

  /** `at` is the time of the answer, half-way between the question and its end. */
  async #get(url: string, authorization: string | undefined, signal: AbortSignal) {
    const start = performance.now();
    const { statusCode: status, body: stream } = await request(`${url}/v1/proxies?own=true`, {
      dispatcher: this.#agent,
      signal,
      headers: { "user-agent": "keyway", accept: "application/json", ...(authorization && { authorization }) },
    });
    const body = await readUpTo(LARGEST, stream);
    return { status, body: body?.toString("utf8") ?? "", at: (start + performance.now()) / 2 };
  }
}

function followerAt(
  { address, scope, digest, came, answered }: z.output<typeof OwnProxies>["followers"][number],
  at: number,
): Follower {
  return { address, scope, digest, cameAt: at - came, answeredAt: answered === undefined ? undefined : at - answered };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function messageIn(body: string): string {
  const { error } = (parsed(body) ?? {}) as { error?: { message?: unknown } };
  return printable(typeof error?.message === "string" ? error.message : body.trim().slice(0, 80));
}
