// A route server within the test's own process.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { serve } from "../../server/main.ts";
import { readSettings } from "../../server/settings.ts";
import type { Io } from "../../shared/io.ts";

export interface Served {
  url: string;
  /** A folder that goes with the test; the database in it is keyway.db. */
  folder: string;
  /** Lines of the log so far. */
  log: string[];
  /** Ends the server and waits for it. */
  end(): Promise<void>;
  ask(path: string, init?: RequestInit): Promise<Answer>;
}

export interface Answer {
  status: number;
  headers: Headers;
  /** The JSON of the body, or its text. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what they expect
  body: any;
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "keyway-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a server that the end of the test ends. `flags` are by the names of settings. */
export async function startServer(
  flags: Record<string, string> = {},
  folder = temporaryFolder(),
  env: Io["env"] = {},
): Promise<Served> {
  const served = await start(flags, folder, env);
  onTestFinished(served.end);
  return served;
}

/** A server for all tests of a file, which leave it as it is. */
export function sharedServer(flags: Record<string, string> = {}): Pick<Served, "ask" | "url"> {
  const folder = mkdtempSync(join(tmpdir(), "keyway-"));
  let served: Served | undefined;
  beforeAll(async () => {
    served = await start(flags, folder);
  });
  afterAll(async () => {
    await served?.end();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    get url() {
      return served?.url ?? "";
    },
    ask: (path, init) => ask(`${served?.url}${path}`, init),
  };
}

async function start(flags: Record<string, string>, folder: string, env: Io["env"] = {}): Promise<Served> {
  const stop = new AbortController();
  const log: string[] = [];
  const err = { write: (line: string) => log.push(line) };
  const io: Io = { out: err, err, in: [], env, signal: stop.signal };
  const settings = await readSettings(
    { listen: "127.0.0.1:0", store: `sqlite:${join(folder, "keyway.db")}`, grace: "2", ...flags },
    io,
  );
  let ended: Promise<void> = Promise.resolve();
  const url = await new Promise<string>((resolve, reject) => {
    ended = serve(settings, io, resolve);
    ended.catch(reject);
  });
  const end = async () => {
    stop.abort();
    await ended;
  };
  return { url, folder, log, end, ask: (path, init) => ask(`${url}${path}`, init) };
}

export async function ask(url: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {
    // Then it is a text.
  }
  return { status: response.status, headers: response.headers, body };
}

export const sent = (method: string, body?: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method,
  headers: { "content-type": "application/json", ...headers },
  ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
});

export const reviews = { service: "reviews", key: "pr-42", to: "reviews-pr-42" };
