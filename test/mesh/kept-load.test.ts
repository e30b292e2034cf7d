// A life under 500 requests a second, half of them with a key: install, the target deleted and back, the VirtualService edited, upgrade, uninstall. In each
// phase every request has to be where that phase leads it, under the settings of its route, and none may fail but those that are under way when the target goes.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { destinationOf, gatewayObject, virtualServiceObject } from "./bed/objects.ts";
import type { Pod } from "./bed/pod.ts";
import { GATEWAY_HTTP_PORT } from "./bed/ports.ts";
import { WORKERS } from "./bed/proxy.ts";
import { mesh } from "./bed/shared.ts";
import { until } from "./bed/until.ts";
import { isDraining, keyway, keywayDone, publishModule, quiet, routeFile, strictMutualTls } from "./keyway.ts";
import { Phases, type Stream } from "./phases.ts";

const NAMESPACE = "kept-load";
const HOST = `shop.${NAMESPACE}.svc.cluster.local:9080`;
const HERE = ["-n", NAMESPACE, "--insecure"];
const HEADERS: Record<Stream, Record<string, string>> = { plain: {}, keyed: { "x-routing-key": "pr-42" } };
/** Requests a second of each stream, and the part of them that a busy machine has to reach. */
const RATE = 250;
const REACHED = 0.7;
const GONE = "the target is gone";
const TARGET = { name: "reviews-pr-42", namespace: NAMESPACE, selector: { app: "reviews-pr-42" } };

let caller: Pod;
let gateway: Pod;
let reviews: Pod;
let module: string;

beforeAll(async () => {
  await strictMutualTls(NAMESPACE);
  const one = (name: string) => mesh.pod({ name, namespace: NAMESPACE, service: name });
  const pods = await Promise.all([
    mesh.pod({ name: "caller", namespace: NAMESPACE }),
    mesh.gateway({ name: "front", namespace: NAMESPACE, labels: { istio: "front" } }),
    one("reviews"),
    one("ratings"),
    one("reviews-pr-42"),
  ]);
  [caller, gateway, reviews] = pods;
  // A pod without any Service loses its inbound cluster, and then its own proxy answers 503 to whoever still calls it. This Service keeps it, so that
  // what fails when the target's Service goes has failed in the proxy that chose the target.
  await mesh.service({ ...TARGET, name: "keeps-inbound" });
  // Nobody stands behind this name: its VirtualService leads elsewhere.
  await mesh.service({ name: "shop", namespace: NAMESPACE, selector: { app: "nobody" } });
  await mesh.apply(gatewayObject(NAMESPACE, "front"));
  await lead("reviews", "/first");
  await quiet(pods);
  module = await publishModule();
});

afterAll(() => keyway("uninstall", "-n", NAMESPACE, "--include-edited", "--no-wait"));

/** Leads the host to a service, under another path. */
function lead(service: string, uri: string): Promise<void> {
  const http = [{ rewrite: { uri }, route: [destinationOf(NAMESPACE, service)] }];
  return mesh.apply(virtualServiceObject(NAMESPACE, { name: "shop", host: "shop", gateways: ["mesh", "front"], http }));
}

const modes = [
  { mode: "outbound", selector: "app=caller", chooser: () => caller },
  { mode: "gateway", selector: "istio=front", chooser: () => gateway },
  { mode: "inbound", selector: "app=reviews", chooser: () => reviews },
] as const;

test.each(modes)(
  "$mode, each request goes where its phase leads it, and only those under way fail when the target goes",
  async ({ mode, selector, chooser }) => {
    const load = (stream: Stream) => {
      const through = mode === "gateway" ? { to: gateway } : {};
      const plan = { rate: RATE, seconds: 200 };
      return mesh.load([{ from: caller, ...through, host: HOST, headers: HEADERS[stream] }], plan);
    };
    const phases = new Phases(async (stream) => {
      const host = mode === "gateway" ? `${gateway.address}:${GATEWAY_HTTP_PORT}` : "shop:9080";
      const { app, headers } = await caller.request({ host, headers: { ...HEADERS[stream], host: HOST } });
      return `${app} ${headers["x-path"]}`;
    });
    // A twin that is stale has the settings of its time. Inbound there is none, since the caller's proxy has applied them.
    const kept = (stale: string, fresh: string) => (mode === "inbound" ? fresh : stale);
    const routes = (...keys: string[]) =>
      routeFile(...keys.map((key) => `{service: reviews:http, key: ${key}, to: reviews-pr-42}`));

    const loads = await Promise.all([load("plain"), load("keyed")]);
    onTestFinished(() => void Promise.all(loads.map((one) => one.stop())));
    await phases.next("before", { plain: "reviews /first", keyed: "reviews /first" }, () => sleep(500));
    await phases.next("installed", { plain: "reviews /first", keyed: "reviews-pr-42 /first" }, async () => {
      const flags = ["-l", selector, "--mode", mode, "--module", module, "-f", await routes("pr-42")];
      await keywayDone("install", ...HERE, ...flags);
      // Connections from before are served as before until they are drained.
      await until("the old connections to be drained", async () => !(await isDraining(chooser())), 30);
    });
    await phases.next(GONE, { plain: "reviews /first", keyed: "reviews /first" }, () =>
      mesh.delete({ apiVersion: "v1", kind: "Service", metadata: { name: TARGET.name, namespace: NAMESPACE } }),
    );
    await phases.next("the target is back", { plain: "reviews /first", keyed: "reviews-pr-42 /first" }, () =>
      mesh.service(TARGET),
    );
    const stale = `reviews-pr-42 ${kept("/first", "/second")}`;
    await phases.next("the route is edited", { plain: "reviews /second", keyed: stale }, () =>
      lead("reviews", "/second"),
    );
    await phases.next("upgraded", { plain: "reviews /second", keyed: "reviews-pr-42 /second" }, async () =>
      keywayDone("upgrade", ...HERE, "-f", await routes("pr-42", "other")),
    );
    await phases.next("the route leads elsewhere", { plain: "ratings /third", keyed: "ratings /third" }, () =>
      lead("ratings", "/third"),
    );
    const back = `reviews-pr-42 ${kept("/second", "/first")}`;
    await phases.next("the route leads back", { plain: "reviews /first", keyed: back }, () =>
      lead("reviews", "/first"),
    );
    await phases.next("uninstalled", { plain: "reviews /first", keyed: "reviews /first" }, () =>
      keywayDone("uninstall", "-n", NAMESPACE),
    );

    const [plain, keyed] = [await loads[0].stop(), await loads[1].stop()];
    for (const [stream, { sent }] of [
      ["plain", plain],
      ["keyed", keyed],
    ] as const) {
      for (const { name, strays, perSecond } of phases.report(stream, sent)) {
        expect(strays, `${stream} requests, ${name}`).toEqual({});
        expect(perSecond, `${stream} requests a second, ${name}`).toBeGreaterThan(RATE * REACHED);
      }
    }
    expect(phases.failures(plain.sent), "plain requests that failed").toEqual([]);
    expect(phases.failures(keyed.sent, GONE), "keyed requests that failed").toEqual([]);
    // A request of each worker may be under way when the target goes; the first that fails tells all later ones.
    expect(keyed.failed, keyed.failures.join("; ")).toBeLessThanOrEqual(WORKERS);
  },
);
