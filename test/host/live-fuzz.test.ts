import fc from "fast-check";
import { expect, test } from "vitest";
import type { Route } from "../../routes/index.ts";
import { u64 } from "../../routes/model/u64.ts";
import { check } from "../property.ts";
import type { Response } from "./emulator/process.ts";
import { CLUSTER, goesTo, type Live, liveProxy } from "./live.ts";

const WORKERS = 3;
const KEYS = 400;
const TARGETS = 5;

/** What goes wrong with an answer on its way, if anything. */
const fault = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: "none" as const }) },
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
  fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), bit: fc.nat({ max: 7 }) }),
  fc.record({ kind: fc.constant("status" as const), status: fc.constantFrom(400, 401, 404, 500, 503, 504) }),
  fc.record({ kind: fc.constant("reset" as const) }),
  fc.record({ kind: fc.constant("garbage" as const), body: fc.uint8Array({ maxLength: 200 }) }),
);
const some = fc.record({ from: fc.nat({ max: KEYS - 1 }), count: fc.nat({ max: KEYS / 2 }) });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("set" as const), keys: some, to: fc.nat({ max: TARGETS - 1 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("delete" as const), keys: some }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("answer" as const), fault }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(1, 100, 250, 1000, 6000) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("settle" as const) }) },
  fc.record({ do: fc.constant("pages" as const), bytes: fc.constantFrom(200, 700, 3000, 131072) }),
  fc.record({ do: fc.constant("restore" as const), keys: some, to: fc.nat({ max: TARGETS - 1 }), back: fc.boolean() }),
  fc.record({ do: fc.constant("configure" as const), explain: fc.boolean(), hold: fc.boolean() }),
  fc.record({ do: fc.constant("jump" as const), seconds: fc.integer({ min: -100_000, max: 100_000 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const keyOf = (i: number) => `key-${i % KEYS}`;

/** A proxy and what its requests may be answered: each key's targets since the table was last known to be the server's. */
class Life {
  readonly live: Live = liveProxy({ workers: WORKERS });
  private readonly possible = new Map<string, Set<string>>();
  private asked = 0;
  private ends: (() => void)[] = [];
  private histories = 0;
  requests = 0;

  constructor() {
    const { envoy } = this.live;
    for (let i = 0; i < TARGETS; i++) envoy.process.clusters.set(`to-${i}`, true);
    // On other workers, between any two of the host calls by which one brings the table up to date.
    envoy.process.meanwhile = ({ vm, name }) => {
      if (!name.includes("shared_data") || this.asked++ % 3 !== 0) return;
      const worker = this.asked % WORKERS;
      if (vm.thread !== `worker ${worker}`) this.ask(worker, this.asked * 7);
    };
  }

  private current(key: string): string {
    const route = this.live.server.routes.get(`id-${key}`);
    return route && "to" in route ? route.to : "reviews";
  }

  ask(worker: number, i: number): void {
    const key = keyOf(i);
    const cluster = goesTo(this.live.filter, key, worker);
    const allowed = this.possible.get(key) ?? new Set(["reviews"]);
    expect([...allowed, cluster], `${key} on worker ${worker}`).toEqual([
      ...allowed,
      expect.toSatisfy((to: string) => allowed.has(to)),
    ]);
    this.requests++;
  }

  /** What the server does now may be seen from now on. */
  change(change: () => void): void {
    change();
    for (let i = 0; i < KEYS; i++) {
      const key = keyOf(i);
      const allowed = this.possible.get(key) ?? new Set(["reviews"]);
      this.possible.set(key, allowed.add(this.current(key)));
    }
  }

  /** Until the server has nothing new to tell; then nothing but the server's table may be seen. */
  settle(): void {
    const { envoy, server } = this.live;
    this.serve(undefined);
    envoy.run(12_000);
    expect(envoy.process.calls.filter(({ cluster, ended }) => cluster === CLUSTER && !ended())).toHaveLength(1);
    for (let i = 0; i < KEYS; i++) this.possible.set(keyOf(i), new Set([this.current(keyOf(i))]));
    for (let i = 0; i < KEYS; i++) for (let worker = 0; worker < WORKERS; worker++) this.ask(worker, i);
    expect(server.routes.size).toBe(envoy.process.counter("keyway_table_routes"));
  }

  private serve(spoil: ((body: Uint8Array) => Response) | undefined): void {
    const { envoy, server } = this.live;
    envoy.process.services.set(CLUSTER, (call, waited) => {
      const response = server.answer(call, waited);
      if (!response || response === "reset" || !spoil) return response;
      return spoil(response.body ?? new Uint8Array());
    });
  }

  step(step: Step): void {
    const { envoy, server, filter } = this.live;
    const ids = (keys: { from: number; count: number }) =>
      Array.from({ length: keys.count }, (_, i) => keyOf(keys.from + i));
    const routes = (keys: { from: number; count: number }, to: number): Record<string, Route> =>
      Object.fromEntries(ids(keys).map((key) => [`id-${key}`, { from: "reviews", key, to: `to-${to}` }]));
    if (step.do === "set") this.change(() => server.apply(routes(step.keys, step.to)));
    else if (step.do === "delete")
      this.change(() => server.apply(Object.fromEntries(ids(step.keys).map((key) => [`id-${key}`, undefined]))));
    else if (step.do === "restore")
      this.change(() =>
        server.restore(routes(step.keys, step.to), step.back ? 2 : server.revision + 5, u64(++this.histories, 99)),
      );
    else if (step.do === "answer") {
      const { fault } = step;
      this.serve((body) => {
        if (fault.kind === "reset") return "reset";
        if (fault.kind === "status") return { status: fault.status, body: Buffer.from('{"error":{"message":"no"}}') };
        if (fault.kind === "garbage") return { status: 200, body: fault.body };
        const own = Uint8Array.from(body);
        if (fault.kind === "cut") return { status: 200, body: own.subarray(0, fault.at % own.length) };
        if (fault.kind === "flip")
          own[fault.at % own.length] = (own[fault.at % own.length] as number) ^ (1 << fault.bit);
        return { status: 200, body: own };
      });
      envoy.answer();
      this.serve(undefined);
    } else if (step.do === "pass") {
      envoy.process.advance(step.ms);
      envoy.tick();
    } else if (step.do === "pages") server.pageBytes = step.bytes;
    else if (step.do === "jump") envoy.process.clock += BigInt(step.seconds) * 1_000_000_000n;
    else if (step.do === "configure") {
      if (step.hold) this.ends.push(filter.open({ worker: 0 }).end);
      filter.configure({ explain: step.explain, table: { cluster: CLUSTER } });
      if (!step.hold) for (const end of this.ends.splice(0)) end();
    } else this.settle();
    for (let worker = 0; worker < WORKERS; worker++)
      for (let i = 0; i < 5; i++) this.ask(worker, (this.requests * 31) % KEYS);
  }
}

test("through any life of server, proxy and wire, each request is answered by a table that was the server's since the last one confirmed", () => {
  let requests = 0;
  check(
    [fc.array(step, { minLength: 5, maxLength: 60, size: "max" })],
    (steps) => {
      const life = new Life();
      for (const own of steps) life.step(own);
      life.settle();
      // What is damaged is found before it is written, so what was written always adds up.
      expect(life.live.envoy.process.lines("error").filter((line) => line.includes("add up"))).toEqual([]);
      requests += life.requests;
    },
    60,
  );
  expect(requests).toBeGreaterThan(10_000);
});
