// Gateways that strangers reach: which keys and trace ids they let in, on a real Envoy, with a workload's proxy behind it.
import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { traceIdRemoval } from "../../installer/render/trace-ids.ts";
import { type Bootstrap, type Listener, manager } from "../../scripts/proxy/bootstrap.ts";
import { ecdsa, hmac, rsa, type Signer, signed } from "../host/edge-keys.ts";
import { type Bed, startBed } from "./bed/bed.ts";
import { cluster } from "./bed/bootstrap.ts";
import type { HeaderList } from "./bed/client.ts";
import { Ecds } from "./bed/ecds.ts";
import { load } from "./bed/load.ts";
import { startWorkload, type Workload } from "./bed/workload.ts";

const KEYS = ["header:x-routing-key", "baggage:k", "cookie:k", "query:k"];
const routes = [{ from: "reviews", key: "pr-1", to: "reviews-pr-1" }];
const counts = async (bed: Bed) => {
  const metrics = await bed.metrics();
  return Object.fromEntries(
    ["removed", "forged", "expired", "foreign"].map((name) => [name, metrics[`keyway_keys_${name}`] ?? 0]),
  );
};

function takeTraceIdsOff({ static_resources }: Bootstrap): void {
  for (const listener of static_resources.listeners)
    manager(listener).early_header_mutation_extensions = [traceIdRemoval()];
}

describe("signed keys", () => {
  const signers: Record<string, Signer> = {
    ecdsa: ecdsa("ec"),
    rsa: rsa("rsa"),
    "rsa-4096": rsa("r4", 4096),
    hmac: hmac("hm"),
  };
  let bed: Bed;
  beforeAll(async () => {
    const keys = Object.values(signers).map(({ entry }) => entry);
    bed = await startBed({
      config: { keys: KEYS, routes, edge: { accept: "signed", keys } },
      targets: ["reviews-pr-1"],
    });
  });
  afterAll(() => bed.stop());

  test.each(Object.keys(signers))("one of %s is verified, wherever it stands, and goes on", async (name) => {
    const token = signed(signers[name] as Signer, "pr-1", { services: "reviews" });
    const header = await bed.ask({ headers: { "x-routing-key": token } });
    expect([header.service, header.seen("x-routing-key")]).toEqual(["reviews-pr-1", [token]]);
    expect((await bed.ask({ headers: { cookie: `a=1; k=${token}` } })).service).toBe("reviews-pr-1");
    expect((await bed.ask({ path: `/?k=${token}` })).service).toBe("reviews-pr-1");
    expect(await bed.everywhere({ headers: { baggage: `k=${token}` } })).toEqual(new Set(["reviews-pr-1"]));
  });

  test.each(Object.keys(signers))("what is not signed by our key of %s is taken off and counted", async (name) => {
    const ours = signers[name] as Signer;
    const before = await counts(bed);
    const theirs = { ...(name === "hmac" ? hmac() : ecdsa()), entry: ours.entry } as Signer;
    for (const text of [
      ...["pr-1", signed(theirs, "pr-1"), `${signed(ours, "pr-1").slice(0, -6)}AAAAAA`],
      ...[signed(ours, "pr-1", { expires: 1 }), signed(ours, "pr-1", { id: "nobody" })],
    ]) {
      const { service, seen } = await bed.ask({ headers: { "x-routing-key": text } });
      expect([service, seen("x-routing-key")]).toEqual(["reviews", []]);
    }
    const after = await counts(bed);
    const more = Object.fromEntries(Object.entries(after).map(([one, count]) => [one, count - (before[one] ?? 0)]));
    expect(more).toEqual({ removed: 1, forged: 2, expired: 1, foreign: 1 });
  });

  test("one for another service is none here, and goes on to it", async () => {
    const token = signed(signers.ecdsa as Signer, "pr-1", { services: "ratings" });
    const { service, seen } = await bed.ask({ headers: { "x-routing-key": token } });
    expect([service, seen("x-routing-key")]).toEqual(["reviews", [token]]);
  });
});

test("unwrapped, the plain key goes on", async () => {
  const ours = ecdsa();
  const edge = { accept: "signed", keys: [ours.entry], unwrap: true };
  // Its place is a source and a form.
  const config = { keys: KEYS, emit: ["header:x-routing-key"], routes, edge };
  const bed = await startBed({ config, targets: ["reviews-pr-1"] });
  try {
    const { service, seen } = await bed.ask({
      headers: { "x-routing-key": signed(ours, "pr-1"), cookie: "k=pr-1; a=1" },
    });
    expect([service, seen("x-routing-key"), seen("cookie")]).toEqual(["reviews-pr-1", ["pr-1"], ["a=1"]]);
  } finally {
    await bed.stop();
  }
});

describe("for whom, on the way into a workload, whose cluster's name names no service", () => {
  const ours = ecdsa();
  const inbound = "inbound|9080||";
  let bed: Bed;
  beforeAll(async () => {
    const edge = { accept: "any", keys: [ours.entry] };
    bed = await startBed({
      config: { keys: KEYS, routes: [{ from: inbound, key: "pr-1", to: "reviews-pr-1" }], edge },
      ...{ baselines: { "/": inbound }, targets: ["reviews-pr-1"] },
      change: ({ static_resources }) => {
        const own = static_resources.clusters.find(({ name }) => name === inbound);
        const services = ["details", "reviews"].map((name) => ({ name, host: `${name}.demo.svc.cluster.local` }));
        Object.assign(own ?? {}, { metadata: { filter_metadata: { istio: { services } } } });
      },
    });
  });
  afterAll(() => bed.stop());

  test.each([
    ["reviews", true],
    ["details.demo", true],
    ["ratings+reviews.demo.svc.cluster.local", true],
    ["ratings", false],
    ["reviews.other", false],
  ])("%s, as Istio's metadata of the cluster says: %s", async (services, counts) => {
    const { service } = await bed.keyed(signed(ours, "pr-1", { services }));
    expect(service).toBe(counts ? "reviews-pr-1" : inbound);
  });
});

test("keys rotate under load, and no signed key that should count fails to", async () => {
  const [first, second] = [ecdsa("2026-10"), ecdsa("2026-11")];
  const config = (...signers: Signer[]) => ({
    ...{ keys: KEYS, routes, strict: false },
    edge: { accept: "signed", keys: signers.map(({ entry }) => entry) },
  });
  let ecds: Ecds | undefined;
  const bed = await startBed({
    ...{ config: config(first), targets: ["reviews-pr-1"], concurrency: 2 },
    change: ({ static_resources }) => {
      ecds = new Ecds(static_resources.listeners[0] as Listener);
    },
  });
  const by = (signer: Signer) => ({ headers: { "x-routing-key": signed(signer, "pr-1") } });
  try {
    const old = load(bed.port, 4, by(first));
    await bed.everywhere(by(first));
    await ecds?.update(bed.envoy, config(first, second));
    expect(await bed.everywhere(by(second))).toEqual(new Set(["reviews-pr-1"]));
    const fresh = load(bed.port, 4, by(second));
    const { services, failures, answered } = await old.stop();
    expect([failures, services, answered > 20]).toEqual([[], new Set(["reviews-pr-1"]), true]);
    await ecds?.update(bed.envoy, config(second));
    expect(await bed.everywhere(by(first))).toEqual(new Set(["reviews"]));
    // A mistake in the next configuration leaves the last good one in force.
    await ecds?.update(bed.envoy, { ...config(second), edge: { accept: "signed", keys: [] } });
    expect(await bed.everywhere(by(first))).toEqual(new Set(["reviews"]));
    expect(await bed.everywhere(by(second))).toEqual(new Set(["reviews-pr-1"]));
    const last = await fresh.stop();
    expect([last.failures, last.services]).toEqual([[], new Set(["reviews-pr-1"])]);
  } finally {
    await bed.stop();
    ecds?.remove();
  }
});

test("a fresh proxy with a mistake in its edge takes no key, signed or not", async () => {
  const ours = ecdsa();
  const edge = { accept: "signed", keys: [ours.entry], trace: "remove" };
  const bed = await startBed({ config: { keys: KEYS, routes, edge }, targets: ["reviews-pr-1"] });
  try {
    for (const key of ["pr-1", signed(ours, "pr-1")]) {
      const { service, seen } = await bed.keyed(key);
      expect([service, seen("x-routing-key")]).toEqual(["reviews", []]);
    }
    expect((await bed.metrics()).keyway_config_rejected).toBe(1);
  } finally {
    await bed.stop();
  }
});

describe("a gateway in front of a workload that gives keys back by their trace", () => {
  const ours = ecdsa();
  const next = [{ from: "next", key: "pr-1", to: "next-pr-1" }];
  const inside = { keys: [...KEYS, "trace"], routes: next, edge: { accept: "any", keys: [ours.entry] } };
  let workload: Workload;
  let gateway: Bed;
  const collector = createServer((_, response) => response.end());
  beforeAll(async () => {
    workload = await startWorkload({ inbound: inside, outbound: inside, targets: ["next-pr-1"] });
    await new Promise<void>((done) => collector.listen(0, "127.0.0.1", done));
    const { port } = collector.address() as { port: number };
    gateway = await startBed({
      config: { keys: KEYS, routes: [], edge: { accept: "signed", keys: [ours.entry] } },
      baselines: { "/": "shop" },
      change: (made) => {
        takeTraceIdsOff(made);
        const { clusters, listeners } = made.static_resources;
        clusters.splice(0, clusters.length, cluster("shop", workload.bed.port), cluster("collector", port));
        const typed_config = {
          "@type": "type.googleapis.com/envoy.config.trace.v3.ZipkinConfig",
          ...{ collector_cluster: "collector", collector_endpoint: "/spans", collector_endpoint_version: "HTTP_JSON" },
        };
        manager(listeners[0] as Listener).tracing = { provider: { name: "envoy.tracers.zipkin", typed_config } };
      },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await workload.stop();
    collector.close();
  });

  const hex = (bytes: number) => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");
  const forms = (id: string): HeaderList => [
    ["traceparent", `00-${id}-${"1".repeat(16)}-01`],
    ["b3", `${id}-${"1".repeat(16)}-1`],
    ["x-b3-traceid", id],
    ["x-b3-spanid", "1".repeat(16)],
    ["x-datadog-trace-id", BigInt(`0x${id.slice(16)}`).toString()],
    ["x-amzn-trace-id", `Root=1-${id.slice(0, 8)}-${id.slice(8)}`],
    ["x-cloud-trace-context", `${id}/1;o=1`],
    ["uber-trace-id", `${id}:1:0:1`],
    ["sw8", `1-${Buffer.from(id).toString("base64")}-1-3-a-b-c-d`],
    ["x-request-id", id.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")],
  ];
  const ids = [...new Set(forms(hex(16)).map(([name]) => name)), "x-keep"];
  const through = (headers: HeaderList, keep: readonly string[] = ids) =>
    gateway.ask({ headers: [...headers, ["x-keep", keep.join()]] });
  const token = () => signed(ours, "pr-1", { services: "next" });

  test.each(["x-b3-traceid", "x-request-id"])("a signed key for the next service comes back by %s", async (name) => {
    const text = token();
    const { service, seen } = await through([["x-routing-key", text]], [name]);
    expect([service, seen("x-routing-key")]).toEqual(["next-pr-1", [text]]);
  });

  test("no trace id from outside goes in: neither the proxy's tracer nor its request ids go on with it", async () => {
    const id = hex(16);
    const { seen } = await through(forms(id));
    const inner = ids.flatMap(seen).join();
    expect(inner).not.toContain(id.slice(16));
    expect(seen("x-request-id")[0]?.replaceAll("-", "")).not.toBe(id);
    expect([seen("x-b3-traceid").length, seen("traceparent"), seen("sw8")]).toEqual([1, [], []]);
  });

  test("strangers who know the ids of live traces, outside and inside, get nobody's key, and take none away", async () => {
    const wrong: string[] = [];
    const round = async (n: number) => {
      const outside = hex(16);
      const holder = () => through([["x-routing-key", token()], ...forms(outside)]);
      const known = await holder();
      const inside = known.seen("x-b3-traceid")[0]?.padStart(32, "0") ?? "";
      const request = known.seen("x-request-id")[0]?.replaceAll("-", "") ?? "";
      const both = await Promise.all([
        ...[holder(), through(forms(outside)), holder(), through(forms(inside)), through(forms(request)), holder()],
        through([["x-routing-key", "pr-1"], ...forms(outside)]),
      ]);
      const services = both.map(({ service }) => service);
      const wanted = ["next-pr-1", "next", "next-pr-1", "next", "next", "next-pr-1", "next"];
      if (services.join() !== wanted.join()) wrong.push(`${n}: ${services}`);
    };
    for (let from = 0; from < 200; from += 10) await Promise.all(Array.from({ length: 10 }, (_, i) => round(from + i)));
    expect(wrong).toEqual([]);
  });
});
