// `keyway gaps`: which services drop the key, what they hand on instead, and what to do about it.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { flowOf, metricOf } from "../../installer/gaps/flow.ts";
import { HEADER, stacks, stacksFor } from "../../installer/gaps/stacks.ts";
import { type Verdict, verdictOf } from "../../installer/gaps/verdict.ts";
import type { Mode } from "../../installer/manifests/installation.ts";
import { wasmPlugin } from "../../installer/manifests/wasmplugin.ts";
import { TRACE_HEADERS } from "../../routes/model/model.ts";
import * as names from "../../routes/model/names.ts";
import { expectGolden, runCli, transcript } from "../cli/run.ts";
import { addPod, desired, type Fleet, startFleet } from "../installation/fleet.ts";

const config = { keys: ["header:x-routing-key", "trace"], routes: [] };

let fleet: Fleet;
beforeEach(async () => {
  fleet = await startFleet();
});
afterEach(() => fleet.close());

const gaps = (...args: string[]) => runCli(["gaps", "-n", "demo", "--kubeconfig", fleet.kubeconfig, ...args]);
const parsed = async (...args: string[]) => JSON.parse((await gaps("-o", "json", ...args)).out);

function installed(mode: Mode, own: object = config): void {
  const scope = { labels: {} };
  const version = 1_800_000_000;
  const plugin = wasmPlugin({ ...desired, name: mode, mode, scope, version, config: { ...own } });
  fleet.server.put(plugin as Parameters<typeof fleet.server.put>[0]);
}

function both(own: object = config): void {
  installed("inbound", own);
  installed("outbound", own);
}

type Counts = Partial<
  Record<
    "remembered" | "untraced" | "no_key" | "forwarded" | "recovered" | "unrecovered" | "unrecovered_untraced",
    number
  >
> & { by?: Record<string, number>; evicted?: number };

function counts({ by = {}, evicted = 0, ...requests }: Counts): Record<string, number> {
  const all = Object.entries({ remembered: 0, ...requests }).map(([name, value]) => [`keyway_requests_${name}`, value]);
  const headers = Object.entries(by).map(([header, value]) => [metricOf(header), value]);
  return { ...Object.fromEntries([...all, ...headers]), [names.METRIC_EVICTED]: evicted };
}

/** A mesh of services, each with one proxy that has counted so much. */
function services(counted: Record<string, Counts>): void {
  for (const [name, own] of Object.entries(counted)) {
    addPod(fleet, name, { app: name });
    fleet.metricsOfPods[name] = counts(own);
  }
}

const EXAMPLE: Record<string, Counts> = {
  front: { remembered: 120, forwarded: 240 },
  cart: { remembered: 100, recovered: 200, by: { traceparent: 150, "x-request-id": 50 }, evicted: 1 },
  mail: { remembered: 80, no_key: 90, unrecovered: 80, unrecovered_untraced: 80 },
  search: { remembered: 10, untraced: 2, no_key: 30, unrecovered: 30 },
  stock: {
    remembered: 50,
    no_key: 70,
    forwarded: 40,
    recovered: 10,
    by: { b3: 10 },
    unrecovered: 60,
    unrecovered_untraced: 50,
  },
  ledger: { remembered: 40 },
  quiet: { no_key: 1000 },
};

test("a mesh whose services hand on all, a part and nothing", async () => {
  both();
  services(EXAMPLE);
  fleet.metricsOfPods["caller-1"] = counts({});
  await expectGolden("gaps", transcript(await gaps()));
  await expectGolden("gaps-yaml", transcript(await gaps("-o", "yaml", "-l", "app=search")));
});

test("the exit code is 0, and 1 where that is asked for and a service loses keys", async () => {
  both();
  services({ front: EXAMPLE.front as Counts, cart: EXAMPLE.cart as Counts });
  fleet.metricsOfPods["caller-1"] = counts({});
  expect(await gaps("--fail-on-gaps")).toMatchObject({ code: 0, err: "" });
  services({ mail: EXAMPLE.mail as Counts });
  expect((await gaps()).code).toBe(0);
  const failed = await gaps("--fail-on-gaps");
  expect(failed.code).toBe(1);
  expect(failed.err).toContain("1 service loses keys: demo/mail");
  expect(failed.out).toContain("demo/mail drops the key");
});

test("the proxies of a workload count together, and one that does not answer is named", async () => {
  both();
  for (const name of ["cart-1", "cart-2", "cart-3"]) {
    fleet.server.put({
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name,
        namespace: "demo",
        labels: { "pod-template-hash": "77" },
        ownerReferences: [{ kind: "ReplicaSet", name: "cart-77", controller: true, apiVersion: "apps/v1", uid: "1" }],
      },
      spec: { containers: [{ name: "app" }, { name: "istio-proxy" }] },
      status: { phase: "Running" },
    } as Parameters<typeof fleet.server.put>[0]);
    if (name !== "cart-3") {
      fleet.metricsOfPods[name] = counts({ remembered: 5, recovered: 7, by: { b3: 7 } });
      fleet.server.pods.listen(`demo/${name}`, 15000, (_, response) => {
        const stats = Object.entries(fleet.metricsOfPods[name] ?? {});
        response.end(JSON.stringify({ stats: stats.map(([name, value]) => ({ name: `wasmcustom.${name}`, value })) }));
      });
    }
  }
  const found = (await parsed()).find(({ workload }: { workload: string }) => workload === "Deployment cart");
  expect(found).toMatchObject({
    proxies: 2,
    verdict: "recovered",
    flow: { cameIn: 10, recovered: 14, recoveredBy: { b3: 14 } },
  });
  const { err } = await gaps();
  expect(err).toContain("demo/cart: pod cart-3 tells nothing: the proxy of pod demo/cart-3 does not answer");
});

test("a proxy that runs no filter with `trace` yet is named, and no gap", async () => {
  both();
  fleet.metrics = { keyway_requests_routed: 3 };
  const { code, out, err } = await gaps("--fail-on-gaps");
  expect(out).toMatch(/demo\/Pod caller-1 +0 +- +- +- +- +can't tell/);
  expect(err).toContain("demo/caller-1: pod caller-1 tells nothing: no filter with `trace` runs in it yet");
  expect(code).toBe(0);
});

/** What the proxy of a pod answers first, and from then on. */
function counting(pod: string, first: Counts, then: Counts): void {
  let asked = 0;
  addPod(fleet, pod, { app: pod });
  Object.defineProperty(fleet.metricsOfPods, pod, { get: () => counts(asked++ === 0 ? first : then) });
}

test("--for counts what happens meanwhile, also where a proxy begins anew", async () => {
  both();
  const before: Counts = { remembered: 100, recovered: 100, by: { b3: 100 } };
  counting("cart", before, { ...before, remembered: 110, unrecovered: 5, unrecovered_untraced: 5 });
  counting("mail", { remembered: 9, unrecovered: 9 }, { remembered: 4, recovered: 4, by: { sw8: 4 } });
  const all = await parsed("--for", "0.1");
  const of = (name: string) => all.find(({ workload }: { workload: string }) => workload === `Pod ${name}`);
  expect(of("cart")).toMatchObject({
    verdict: "lost",
    flow: { cameIn: 10, recovered: 0, recoveredBy: {}, unrecovered: 5 },
  });
  expect(of("mail")).toMatchObject({ verdict: "recovered", flow: { cameIn: 4, recovered: 4, unrecovered: 0 } });
});

test("--for ends at once where the person interrupts", async () => {
  both();
  fleet.metrics = counts({});
  const interrupt = new AbortController();
  setTimeout(() => interrupt.abort(), 1500);
  const began = Date.now();
  const args = ["gaps", "-n", "demo", "--kubeconfig", fleet.kubeconfig, "--for", "60"];
  const run = await runCli(args, { signal: interrupt.signal });
  expect(run).toEqual({ code: 130, out: "", err: "keyway: interrupted\n" });
  expect(Date.now() - began).toBeLessThan(20_000);
});

test("--for longer than the command may take is refused", async () => {
  const { code, err } = await gaps("--for", "300");
  expect(code).toBe(2);
  expect(err).toContain("--timeout 360");
});

describe("what is installed", () => {
  test("nothing", async () => {
    expect(await gaps()).toEqual({
      code: 0,
      out: "",
      err: "‼ nothing is installed in demo for inbound or outbound requests: -A looks in all namespaces\n",
    });
    expect(await parsed()).toEqual([]);
  });

  test("a gateway alone, where nothing can be remembered", async () => {
    installed("gateway");
    expect((await gaps()).err).toContain("nothing is installed in demo for inbound or outbound requests");
  });

  test("without `trace`: how to switch it on", async () => {
    both({ keys: ["header:x-routing-key"], routes: [] });
    const { code, out, err } = await gaps();
    expect([code, out]).toEqual([0, ""]);
    expect(err).toContain("installation demo/inbound remembers no keys: add `trace` to the keys of its route file");
  });

  describe("one way alone", () => {
    const remedyOf = async (mode: Mode) => {
      fleet.metrics = counts({ remembered: 5, unrecovered: 5 });
      const [found] = await parsed("--fail-on-gaps");
      expect(found).toMatchObject({ ways: [mode], verdict: "one way" });
      expect(found.findings).toEqual([expect.stringMatching(/^has a memory of traces only on its way (in|out), so /)]);
      return found.findings[0].split(": ").slice(1).join(": ");
    };

    test.each(["inbound", "outbound"] as const)("%s: the installation is made one for both ways", async (mode) => {
      installed(mode);
      expect(await remedyOf(mode)).toBe(
        `make demo/${mode} one for both ways, with its route file: ` +
          `\`keyway install -n demo --name ${mode} --mode both -f routes.yaml\``,
      );
    });

    test("the line has the selector, and no name where it is the usual one", async () => {
      const scope = { labels: { app: "caller" } };
      const plugin = wasmPlugin({ ...desired, name: "keyway", mode: "inbound", scope, version: 1, config });
      fleet.server.put(plugin as Parameters<typeof fleet.server.put>[0]);
      expect(await remedyOf("inbound")).toContain("`keyway install -n demo -l app=caller --mode both -f routes.yaml`");
    });

    test("one whose routes are all in a live table keeps it, without a file", async () => {
      installed("outbound", { ...config, table: { cluster: "keyway", scope: "demo" } });
      expect(await remedyOf("outbound")).toBe(
        "make demo/outbound one for both ways: `keyway install -n demo --name outbound --mode both`",
      );
    });

    test("where the other way has an installation without `trace`, it is added there", async () => {
      installed("inbound");
      installed("outbound", { keys: ["header:x-routing-key"], routes: [] });
      expect(await remedyOf("inbound")).toBe(
        "add `trace` to the keys in the route file of demo/outbound, which is there for it: " +
          "`keyway upgrade -n demo --name outbound -f routes.yaml`",
      );
    });

    test("an installation without `trace` for other workloads is no remedy", async () => {
      installed("inbound");
      const scope = { labels: { app: "other" } };
      const plugin = wasmPlugin({ ...desired, name: "other", mode: "outbound", scope, version: 1, config: {} });
      fleet.server.put(plugin as Parameters<typeof fleet.server.put>[0]);
      expect(await remedyOf("inbound")).toContain("make demo/inbound one for both ways");
    });
  });

  test("one for both ways", async () => {
    installed("both");
    fleet.metrics = counts({ remembered: 5, recovered: 5, by: { b3: 5 } });
    expect(await parsed()).toMatchObject([{ ways: ["inbound", "outbound"], verdict: "recovered" }]);
  });

  test("no workload with these labels", async () => {
    both();
    expect((await gaps("-l", "app=other")).err).toContain("no workload of demo has these labels and has the filter");
  });

  test.each([
    [{ keys: ["header:X-Key", "trace"] }, "x-key"],
    [{ keys: ["query:k", "trace"], emit: ["baggage:k", "header:x-k"] }, "baggage"],
    [{ keys: ["query:k", "trace"] }, "traceparent"],
  ])("with %j the line hands on %s", async (own, header) => {
    both({ ...own, routes: [] });
    fleet.metrics = counts({ remembered: 5, unrecovered: 5 });
    const [found] = await parsed();
    const { line } = found.remedies.find(({ name }: { name: string }) => name === "nginx");
    expect([found.header, line]).toEqual([header, `proxy_set_header ${header} $http_${header.replaceAll("-", "_")};`]);
  });
});

test.each<[string, Counts, Verdict]>([
  ["no key has come in, whatever goes out", { no_key: 50, unrecovered: 50 }, "idle"],
  ["keys come in and nothing goes out", { remembered: 5, no_key: 5 }, "last"],
  ["keys come in without a trace and none goes out", { untraced: 5, unrecovered: 5 }, "lost"],
  ["all go out with a key", { remembered: 5, forwarded: 15 }, "forwards"],
  [
    "one goes out without, and nothing has come in without",
    { remembered: 5, recovered: 9, no_key: 1, unrecovered: 1 },
    "partly lost",
  ],
  [
    "as many go out without as came in without",
    { remembered: 5, recovered: 5, no_key: 20, unrecovered: 10 },
    "recovered",
  ],
  ["each makes three calls", { remembered: 5, forwarded: 15, no_key: 40, unrecovered: 30 }, "forwards"],
  [
    "more go out without than can be explained",
    { remembered: 5, recovered: 5, no_key: 30, unrecovered: 20 },
    "partly lost",
  ],
])("the verdict where %s", (_, counted, verdict) => {
  expect(verdictOf(["inbound", "outbound"], flowOf(counts(counted)))).toBe(verdict);
});

test("the counters of headers are those of the filter", () => {
  const known: unknown[] = Object.values(names);
  for (const header of TRACE_HEADERS) expect(known).toContain(metricOf(header));
});

test("each line names its source and the header, where it carries the key", () => {
  for (const { line, carries, source } of stacks) {
    expect(source).toMatch(/^https:\/\//);
    expect(line.includes(HEADER)).toBe(carries === "key");
  }
  expect(
    stacksFor("x-key")
      .map(({ line }) => line)
      .join(),
  ).not.toMatch(/HEADER/);
  const named = (header: string) => stacksFor(header).map(({ name }) => name);
  expect(named("x-key").filter((name) => !named("baggage").includes(name))).toEqual([
    "Spring Boot, Micrometer Tracing",
  ]);
});
