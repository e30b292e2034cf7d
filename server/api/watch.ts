// Changes as server-sent events.
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Principal } from "../auth/authenticator.ts";
import type { Logged } from "../state/log.ts";
import type { State } from "../state/state.ts";
import type { Api, Request } from "./context.ts";
import { type Endpoint, errors } from "./endpoint.ts";
import { ApiError } from "./errors.ts";
import { readQuery } from "./query.ts";
import { WatchQuery } from "./schemas.ts";

/** Milliseconds that somebody who watches may take to read what was sent. */
const READ_MS = 60_000;
/** Milliseconds that a server may be behind another one of the same store. */
const BEHIND_MS = 1000;

export const watchEndpoint: Endpoint = {
  path: "/v1/watch",
  method: "get",
  role: "read",
  documentation: {
    operationId: "watchRoutes",
    summary: "Follow the table: server-sent events `set` and `delete` with the route, and `synced`",
    description:
      "The `id` of an event is the revision that is complete with it, so that a watch goes on from there by `Last-Event-ID` or `since`. " +
      'Without them the routes that there are come first. `synced`, with `{"revision": N}`, comes once what was there has been sent. ' +
      "A comment comes now and then as a sign of life. Whoever reads too slowly is cut off and begins again where they were; " +
      "410 says that this is too long ago, and then a watch without `since` begins anew.",
    request: { query: WatchQuery },
    responses: {
      200: {
        description: "events until the client ends them",
        content: { "text/event-stream": { schema: { type: "string" } } },
      },
      ...errors(400, 401, 403, 410),
    },
  },
  async handle(request, api) {
    const since = await start(request, api);
    const { outgoing } = request.env;
    outgoing.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    outgoing.flushHeaders();
    if (request.req.method === "HEAD") outgoing.end();
    else void follow(outgoing, since, api, request.get("principal"));
    return RESPONSE_ALREADY_SENT;
  },
};

/** The revision after which changes are wanted; undefined for the routes that there are. */
async function start(request: Request, { state }: Api): Promise<number | undefined> {
  const last = request.req.header("last-event-id");
  const { since } = readQuery(request, WatchQuery);
  const wanted = last === undefined || last === "" ? since : WatchQuery.safeParse({ since: last }).data?.since;
  if (last && wanted === undefined) {
    const message = "expected a revision, a whole number";
    throw new ApiError(400, `Last-Event-ID: ${message}`, { details: [{ path: "Last-Event-ID", message }] });
  }
  if (wanted === undefined) return undefined;
  for (const end = Date.now() + BEHIND_MS; wanted > state.revision && Date.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  // Whoever knows of nothing misses no deletion, so they can have the routes that there are instead.
  if (wanted === 0 && state.log.since > 0) return undefined;
  if (wanted >= state.log.since && wanted <= state.revision) return wanted;
  const why =
    wanted > state.revision
      ? `revision ${wanted} is not reached; the newest is ${state.revision}. Was a backup restored?`
      : `revision ${wanted} is too long ago; what happened after ${state.log.since} is known`;
  throw new ApiError(410, `${why} Watch without since to begin anew`);
}

async function follow(
  response: ServerResponse,
  since: number | undefined,
  api: Api,
  principal: Principal,
): Promise<void> {
  const { state, metrics, ending, heartbeatMs } = api;
  const ended = new AbortController();
  const end = () => ended.abort();
  const signals = [ending, principal.revoked];
  for (const signal of signals) signal.addEventListener("abort", end, { once: true });
  response.on("close", end);
  response.on("error", end);
  const heartbeat = setInterval(() => response.writableNeedDrain || response.write(":\n\n"), heartbeatMs);
  metrics.watches.inc();
  try {
    if (signals.some((signal) => signal.aborted)) end();
    await send(response, since, state, ended.signal);
  } catch {
    // Who watches is gone, or too slow: their next watch goes on from the last event they have.
  } finally {
    metrics.watches.dec();
    clearInterval(heartbeat);
    for (const signal of signals) signal.removeEventListener("abort", end);
    response.end();
    // A reader that does not read keeps the response from ending.
    if (response.writableNeedDrain) response.destroy();
  }
}

async function send(
  response: ServerResponse,
  since: number | undefined,
  state: State,
  signal: AbortSignal,
): Promise<void> {
  let at = since;
  const write = async (text: string): Promise<void> => {
    signal.throwIfAborted();
    if (response.write(text)) return;
    await once(response, "drain", { signal: AbortSignal.any([signal, AbortSignal.timeout(READ_MS)]) });
  };
  if (at === undefined) {
    at = state.revision;
    await writeAll(state, write);
  }
  let synced = false;
  for (;;) {
    // The log is bounded: for a reader that is behind it there is no going on.
    if (at < state.log.since) return;
    const change = state.log.after(at);
    if (change !== undefined) {
      at = change.revision;
      for (const text of pieces(eventsOf(change))) await write(text);
    } else if (!synced) {
      synced = true;
      await write(event("synced", { revision: at }, at));
    } else await nextChange(state, signal);
  }
}

/** In the order of their revisions, so that each event completes a revision for whoever goes on from it. */
async function writeAll(state: State, write: (text: string) => Promise<void>): Promise<void> {
  const routes = [...state.routes()].sort((a, b) => a.revision - b.revision);
  const events = routes.map((route, at) => () => event("set", route, completed(route, routes[at + 1])));
  for (const text of pieces(events)) await write(text);
}

/** A revision that several events make up is complete with the last of them. */
const completed = ({ revision }: { revision: number }, next: { revision: number } | undefined) =>
  next?.revision === revision ? undefined : revision;

function eventsOf({ revision, set, delete: gone }: Logged): (() => string)[] {
  const all = [...set.map((data) => ["set", data] as const), ...gone.map((data) => ["delete", data] as const)];
  return all.map(
    ([name, data], at) =>
      () =>
        event(name, data, at === all.length - 1 ? revision : undefined),
  );
}

/** Events put together to texts of some kilobytes. */
function* pieces(events: Iterable<() => string>): Generator<string, void> {
  let text = "";
  for (const event of events) {
    text += event();
    if (text.length < 16_384) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}

function event(name: string, data: object, id: number | undefined): string {
  return `event: ${name}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}

function nextChange(state: State, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      end();
      reject(signal.reason);
    };
    const end = state.onChange(() => {
      end();
      signal.removeEventListener("abort", stop);
      resolve();
    });
    signal.addEventListener("abort", stop, { once: true });
  });
}
