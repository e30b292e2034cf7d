// When and how often an application calls out for a request: at once, in parallel, after its answer, for hours, for several requests together, and
// again and again because Envoy repeats what failed. Each call follows the trace that it names.
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import WebSocket, { WebSocketServer } from "ws";
import { withTwins } from "../../installer/twins/twins.ts";
import { type Bootstrap, type Listener, type Manager, manager, type Route } from "../../scripts/proxy/bootstrap.ts";
import { type App, app, listen } from "./bed/app.ts";
import type { Bed } from "./bed/bed.ts";
import { cluster } from "./bed/bootstrap.ts";
import { portOut, startBothWays } from "./bed/both-ways.ts";
import { ask } from "./bed/client.ts";
import { messagesOf } from "./bed/sockets.ts";
import { newTrace } from "./bed/traces.ts";

const KEYS = ["pr-1", "pr-2", undefined] as const;
type Key = (typeof KEYS)[number];
const serviceOf = (key: Key) => (key === undefined ? "next" : `next-${key}`);
const headersOf = (key: Key, traceparent = newTrace()) => ({ traceparent, ...(key && { "x-routing-key": key }) });

/** Envoy on both ways of the application; its calls go to `next` and the services of the keys, which answer with their names. */
function start({ port }: App, seconds = 60, change?: (made: Bootstrap, out: Manager) => void): Promise<Bed> {
  const known = { keys: ["header:x-routing-key", "trace"], trace: { seconds } };
  const routes = ["pr-1", "pr-2"].map((key) => ({ from: "next", key, to: serviceOf(key as Key) }));
  return startBothWays({
    app: port,
    inbound: known,
    outbound: { ...known, routes },
    targets: ["next-pr-1", "next-pr-2"],
    change: (made) => {
      const [, out] = made.static_resources.listeners as [Listener, Listener];
      change?.(made, manager(out));
    },
  });
}

describe("work of one request and of many", () => {
  let bed: Bed;
  let application: App;
  /** Where the calls went that the application made after its answers, by their traces. */
  const late = new Map<string, Promise<string>>();
  /** The traces of the requests that wait for their batch. */
  let batch: string[] = [];

  const call = async (headers: Record<string, string>) => (await ask(portOut(bed), { headers })).service;
  const sleeping = async (traceparent: string) => {
    await sleep(300);
    return call({ traceparent });
  };

  beforeAll(async () => {
    application = await app(async ({ url, headers }) => {
      const traceparent = String(headers.traceparent);
      if (url === "/ten") return Promise.all(Array.from({ length: 10 }, () => call({ traceparent })));
      if (url === "/later") late.set(traceparent, sleeping(traceparent));
      if (url === "/batch") batch.push(traceparent);
      if (url === "/flush") return Promise.all(batch.map((one) => call({ traceparent: one })));
      return "accepted";
    });
    bed = await start(application);
  });
  beforeEach(() => {
    batch = [];
  });
  afterAll(async () => {
    await bed.stop();
    await application.stop();
  });

  test("ten calls in parallel, for sixty requests at once", async () => {
    const one = async (i: number) => {
      const key = KEYS[i % 3];
      const { body } = await ask(bed.port, { path: "/ten", headers: headersOf(key) });
      expect(JSON.parse(body)).toEqual(Array.from({ length: 10 }, () => serviceOf(key)));
    };
    await Promise.all(Array.from({ length: 60 }, (_, i) => one(i)));
  });

  test("work that goes out after the answer, when the client has gone", async () => {
    const traces = KEYS.map((key) => [key, newTrace()] as const);
    for (const [key, trace] of traces)
      expect((await ask(bed.port, { path: "/later", headers: headersOf(key, trace) })).body).toBe('"accepted"');
    for (const [key, trace] of traces) expect(await late.get(trace)).toBe(serviceOf(key));
  });

  test("a batch that mixes traces: each call out follows its own, whichever request set it off", async () => {
    const wanted = [...KEYS, ...KEYS];
    for (const key of wanted) await ask(bed.port, { path: "/batch", headers: headersOf(key) });
    for (const key of KEYS) {
      const { body } = await ask(bed.port, { path: "/flush", headers: headersOf(key) });
      expect(JSON.parse(body)).toEqual(wanted.map(serviceOf));
    }
  });

  test("one call for several requests follows the trace that it names, and a new trace has no key", async () => {
    const [first, second] = [newTrace(), newTrace()];
    await ask(bed.port, { headers: headersOf("pr-1", first) });
    await ask(bed.port, { headers: headersOf("pr-2", second) });
    expect(await call({ traceparent: second })).toBe("next-pr-2");
    expect(await call({ traceparent: newTrace() })).toBe("next");
    // Of several ids the first counts that a key is known for, in the order of the configuration.
    expect(await call({ traceparent: first, b3: second.slice(3, 52) })).toBe("next-pr-1");
    expect(await call({ traceparent: newTrace(), b3: second.slice(3, 52) })).toBe("next-pr-2");
  });
});

describe("streams that outlive the memory", () => {
  const SECONDS = 2;
  let bed: Bed;
  let application: App;

  beforeAll(async () => {
    const server = createServer();
    new WebSocketServer({ server }).on("connection", (socket, { headers }) => {
      socket.on("message", async () => {
        const answer = await ask(portOut(bed), { headers: { traceparent: String(headers.traceparent) } });
        socket.send(answer.service);
      });
    });
    application = await listen(server);
    bed = await start(application, SECONDS);
  });
  afterAll(async () => {
    await bed.stop();
    await application.stop();
  });

  test("a stream that goes on calling keeps its key; one that was silent for longer has lost it, until its trace comes in again", async () => {
    const headers = headersOf("pr-1");
    const open = async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${bed.port}/`, { headers });
      const messages = messagesOf(socket);
      await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
      const called = async () => {
        socket.send("call");
        return (await messages()).toString();
      };
      return { called, close: () => socket.close() };
    };
    const { called, close } = await open();
    for (let passed = 0; passed < 3 * SECONDS * 1000; passed += 400) {
      expect(await called()).toBe("next-pr-1");
      await sleep(400);
    }
    await sleep((SECONDS + 1) * 1000);
    expect(await called()).toBe("next");
    const again = await open();
    expect([await again.called(), await called()]).toEqual(["next-pr-1", "next-pr-1"]);
    again.close();
    close();
  });
});

describe("Envoy's own attempts", () => {
  let bed: Bed;
  let application: App;
  let flaky: App[];
  /** The keys of the attempts that each service saw, by the trace. */
  let attempts: [service: string, trace: string, key: unknown][] = [];
  let failures = 0;

  beforeAll(async () => {
    application = await app(async ({ url = "/", headers }) => {
      const { status, body } = await ask(portOut(bed), {
        path: url,
        headers: { traceparent: String(headers.traceparent) },
      });
      // The application fails as well, once it has called out, so Envoy repeats what came in.
      if (headers["x-app-fails"] && failures-- > 0) throw new Error("not yet");
      return [status, body];
    });
    flaky = await Promise.all(
      ["next", "next-pr-1", "next-pr-2"].map((service) =>
        app(async ({ url, headers }) => {
          if (url === undefined || url === "/probe" || headers.traceparent === undefined) return service;
          const before = attempts.filter(([, trace]) => trace === headers.traceparent).length;
          attempts.push([service, String(headers.traceparent), headers["x-routing-key"]]);
          if (url === "/retry" && before < 2) throw new Error("not yet");
          if (url === "/hedge" && before < 1) await sleep(2000);
          return service;
        }),
      ),
    );
    bed = await start(application, 60, (made, out) => {
      const { static_resources } = made;
      const names = ["next", "next-pr-1", "next-pr-2"];
      const own = names.map((name, i) => cluster(name, flaky[i]?.port));
      static_resources.clusters = [...static_resources.clusters.filter(({ name }) => !names.includes(name)), ...own];
      const retry = { retry_on: "5xx", num_retries: 3 };
      const routes = [
        { match: { prefix: "/retry" }, route: { cluster: "next", retry_policy: retry } },
        {
          match: { prefix: "/hedge" },
          route: {
            cluster: "next",
            retry_policy: { ...retry, per_try_timeout: "0.2s" },
            hedge_policy: { hedge_on_per_try_timeout: true },
          },
        },
        { match: { prefix: "/" }, route: { cluster: "next" } },
      ] as Route[];
      withTwinsOf(out, routes);
      const [web] = static_resources.listeners as [Listener];
      const [host] = manager(web).route_config.virtual_hosts;
      host?.routes.splice(2, 9, { match: { prefix: "/" }, route: { cluster: "app", retry_policy: retry } });
    });
  });
  beforeEach(() => {
    attempts = [];
    failures = 0;
  });
  afterAll(async () => {
    await bed.stop();
    await Promise.all([application, ...flaky].map(({ stop }) => stop()));
  });

  function withTwinsOf(connectionManager: Manager, routes: Route[]): void {
    const { route_config } = connectionManager;
    const [host] = route_config.virtual_hosts;
    const plain = { ...route_config, virtual_hosts: [{ ...host, routes }] };
    connectionManager.route_config = withTwins(plain) as Manager["route_config"];
  }

  test.each(KEYS)("with key %s every retry goes where the first attempt went, with the key", async (key) => {
    const headers = headersOf(key);
    const { body } = await ask(bed.port, { path: "/retry", headers });
    expect(JSON.parse(body)).toEqual([200, JSON.stringify(serviceOf(key))]);
    expect(attempts).toEqual(Array.from({ length: 3 }, () => [serviceOf(key), headers.traceparent, key]));
  });

  test.each(KEYS)("with key %s a hedge goes where the first attempt went, with the key", async (key) => {
    const headers = headersOf(key);
    const { body } = await ask(bed.port, { path: "/hedge", headers });
    expect(JSON.parse(body)).toEqual([200, JSON.stringify(serviceOf(key))]);
    expect(attempts.length).toBeGreaterThan(1);
    for (const attempt of attempts) expect(attempt).toEqual([serviceOf(key), headers.traceparent, key]);
  });

  test.each(KEYS)("with key %s what comes in once more by a retry calls out with the key once more", async (key) => {
    failures = 2;
    const headers = headersOf(key);
    const { status, body } = await ask(bed.port, { headers: { ...headers, "x-app-fails": "1" } });
    expect([status, JSON.parse(body)]).toEqual([200, [200, JSON.stringify(serviceOf(key))]]);
    expect(attempts).toEqual(Array.from({ length: 3 }, () => [serviceOf(key), headers.traceparent, key]));
  });
});
