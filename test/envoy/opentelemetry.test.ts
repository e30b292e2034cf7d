// Services with OpenTelemetry's own instrumentation and its defaults, unchanged, between the proxy's way in and its way out.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Instrumented, nodeService, pythonService } from "../../scripts/parts/opentelemetry.ts";
import { freePort } from "../registry/listening.ts";
import { portOut, startBothWays } from "./bed/both-ways.ts";
import { type HeaderList, ask as request } from "./bed/client.ts";
import { until } from "./bed/until.ts";

const services = await Promise.all([nodeService(), pythonService()]);

const keys = ["header:x-routing-key", "baggage:sd-routing-key", "trace"];
const routes = ["pr-1", "pr-2"].map((key) => ({ from: "next", key, to: `next-${key}` }));
const traceparent = () => `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;

/** The process of a service, once it answers. `collector` is where it sends its traces. */
async function run(
  { command: [program = "", ...args], env }: Instrumented,
  port: number,
  next: number,
  collector: number,
) {
  const { PATH, HOME } = process.env;
  const places = {
    PORT: `${port}`,
    NEXT: `http://127.0.0.1:${next}`,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector}`,
  };
  const child = spawn(program, args, { env: { PATH, HOME, ...env, ...places }, stdio: "ignore" });
  const answers = () =>
    fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
  await until("the service", answers, (up) => up);
  return child;
}

const started: (() => unknown)[] = [];
afterAll(async () => {
  for (const stop of started) await stop();
});

/** The service behind a proxy whose filter has this configuration on both ways, and a way to ask it. */
async function start(service: Instrumented, config: object) {
  const collector = createServer((traces, response) => void traces.resume().on("end", () => response.end()));
  await once(collector.listen(0, "127.0.0.1"), "listening");
  started.push(() => collector.closeAllConnections() ?? collector.close());
  const app = await freePort();
  const bed = await startBothWays({ app, inbound: config, outbound: config, targets: ["next-pr-1", "next-pr-2"] });
  started.push(() => bed.stop());
  const child = await run(service, app, portOut(bed), (collector.address() as AddressInfo).port);
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  started.push(() => agent.destroy() ?? child.kill("SIGKILL"));
  return {
    metrics: () => bed.metrics(),
    /** The next service that was called, and all values of a header that it saw. */
    ask: async (headers: HeaderList) => {
      const { status, body } = await request(bed.port, { path: "/reviews", headers, agent });
      if (status !== 200) throw new Error(`${status} ${body}`);
      const { service, headers: all } = JSON.parse(body) as { service: string; headers: [string, string][] };
      return { service, seen: (name: string) => all.filter(([own]) => own === name).map(([, value]) => value) };
    },
  };
}

type Started = Awaited<ReturnType<typeof start>>;

describe.each<[string, Instrumented]>([
  ["Node.js", services[0]],
  ["Python", services[1]],
])("%s", (_, service) => {
  let ask: Started["ask"];
  let metrics: Started["metrics"];
  beforeAll(async () => {
    ({ ask, metrics } = await start(service, { keys, routes }));
  });

  test("a key in a header of a tool's own is given back by the traceparent that the SDK hands on", async () => {
    const own = traceparent();
    const { service, seen } = await ask([
      ["x-routing-key", "pr-1"],
      ["traceparent", own],
    ]);
    expect([service, seen("x-routing-key")]).toEqual(["next-pr-1", ["pr-1"]]);
    // The trace is the same, and the span is the SDK's.
    expect(seen("traceparent")).toEqual([
      expect.stringMatching(new RegExp(`^${own.slice(0, 36)}(?!${own.slice(36, 52)})`)),
    ]);
    const plain = await ask([["traceparent", traceparent()]]);
    expect([plain.service, plain.seen("x-routing-key")]).toEqual(["next", []]);
  });

  test("a key in baggage is handed on by the SDK itself", async () => {
    const { service, seen } = await ask([
      ["baggage", "sd-routing-key=pr-2,user=7"],
      ["traceparent", traceparent()],
    ]);
    expect([service, seen("x-routing-key")]).toEqual(["next-pr-2", []]);
    expect(seen("baggage").join()).toContain("sd-routing-key=pr-2");
  });

  test("a trace in a format that the SDK does not read by default is one that it begins anew, and that is counted", async () => {
    const before = await metrics();
    const { service } = await ask([
      ["x-routing-key", "pr-1"],
      ["b3", `${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-1`],
    ]);
    expect(service).toBe("next");
    const after = await metrics();
    const more = (name: string) => (after[name] ?? 0) - (before[name] ?? 0);
    expect(["keyway_requests_recovered", "keyway_requests_unrecovered"].map(more)).toEqual([0, 1]);
  });

  test("many traces at once, with two keys and none: every one has its own again", async () => {
    const wrong: string[] = [];
    const one = async (n: number) => {
      const key = [undefined, "pr-1", "pr-2"][n % 3];
      const headers: HeaderList = [
        ...(key ? ([["x-routing-key", key]] as HeaderList) : []),
        ["traceparent", traceparent()],
      ];
      const { service } = await ask(headers);
      if (service !== (key ? `next-${key}` : "next")) wrong.push(`${n}: ${key} ${service}`);
    };
    for (let from = 0; from < 600; from += 20) await Promise.all(Array.from({ length: 20 }, (_, i) => one(from + i)));
    expect(wrong).toEqual([]);
  });

  test("a key that comes in without any trace goes on in the baggage that `emit` names", async () => {
    const emitting = await start(service, { keys, routes, emit: ["header:x-routing-key", "baggage:sd-routing-key"] });
    const { service: next, seen } = await emitting.ask([["x-routing-key", "pr-1"]]);
    expect([next, seen("x-routing-key"), seen("baggage")]).toEqual(["next-pr-1", ["pr-1"], ["sd-routing-key=pr-1"]]);
    expect((await emitting.ask([])).service).toBe("next");
  });
});
