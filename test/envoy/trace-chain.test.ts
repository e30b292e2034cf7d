// Many traces at once through a chain of services that hand on a part of the trace each, and none of them the key.
import { randomBytes } from "node:crypto";
import { Agent } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, type HeaderList } from "./bed/client.ts";
import { LOST, NONE, RIGHT, ROUTED, type Services, startServices, UNROUTED, WANTED } from "./bed/service-chain.ts";

const TRACES = 5000;
const AT_ONCE = 500;
const wantedOf = (n: number) => [...ROUTED, ...UNROUTED, NONE, NONE, NONE, NONE][n % 12] as string;

/** The statuses of so many traces, and how many have a key. */
async function send(port: number, traces: number): Promise<{ statuses: Record<string, number>; keyed: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const statuses: Record<string, number> = {};
  let [next, keyed] = [0, 0];
  const one = async () => {
    while (next < traces) {
      const wanted = wantedOf(next++);
      const [first, second] = [randomBytes(16).toString("hex"), randomBytes(16).toString("hex")];
      const headers: HeaderList = [
        [WANTED, wanted],
        ["traceparent", `00-${first}-00f067aa0ba902b7-01`],
        ["b3", `${second}-00f067aa0ba902b7-1`],
      ];
      if (wanted !== NONE) {
        headers.push(["x-routing-key", wanted]);
        keyed++;
      }
      const { status } = await ask(port, { headers, agent });
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  agent.destroy();
  return { statuses, keyed };
}

const of = (all: Record<string, number>[], name: string) => all.map((counters) => counters[`keyway_${name}`] ?? 0);

describe("with room for all that are under way", () => {
  let services: Services;
  beforeAll(async () => {
    services = await startServices({ concurrency: 2 });
  });
  afterAll(() => services.stop());

  test("each of 20,000 requests of four services has its own key again, and those without one get none", async () => {
    const { statuses, keyed } = await send(services.port, TRACES);
    expect(statuses).toEqual({ [RIGHT]: TRACES });
    expect(await services.arrived()).toEqual({ right: TRACES, lost: 0, wrong: 0 });
    const counters = await services.counters();
    expect(of(counters, "requests_recovered")).toEqual([keyed, keyed, keyed, keyed]);
    expect(of(counters, "traces_conflicting")).toEqual([0, 0, 0, 0]);
    const headers = ["traceparent", "traceparent", "b3", "x_request_id"];
    expect(headers.map((header, i) => counters[i]?.[`keyway_requests_recovered_${header}`])).toEqual(
      headers.map(() => keyed),
    );
  }, 60_000);
});

describe("with room for one trace in each bucket", () => {
  let services: Services;
  beforeAll(async () => {
    services = await startServices({ trace: { entries: 1024 } });
  });
  afterAll(() => services.stop());

  test("what is evicted goes to the baseline and is counted, and none gets another's key", async () => {
    const { statuses, keyed } = await send(services.port, 1500);
    const { [RIGHT]: right = 0, [LOST]: lost = 0, ...others } = statuses;
    expect([others, right + lost]).toEqual([{}, 1500]);
    expect(lost).toBeGreaterThan(0);
    const counters = await services.counters();
    // What a service loses goes out of it unrecovered, once, and comes into the next ones without a key.
    const recovered = of(counters, "requests_recovered");
    expect(recovered.at(-1)).toBe(keyed - lost);
    expect([...recovered].sort((a, b) => b - a)).toEqual(recovered);
    const evicted = of(counters, "traces_evicted");
    const lostAt = recovered.map((left, i) => (recovered[i - 1] ?? keyed) - left);
    for (const [i, more] of lostAt.entries()) expect(more).toBeLessThanOrEqual(evicted[i] as number);
  }, 60_000);
});
