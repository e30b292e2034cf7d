// Targets that are missing, in each mode: at most one request per target and worker of the proxy fails, then the baseline serves until the target
// is back, and the target serves again within half a second of its proxy's knowing it.
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import type { Stream } from "./bed/mesh.ts";
import { ECHO_PORTS } from "./bed/mesh.ts";
import { destinationOf, gatewayObject, serviceObject, sliceObject, virtualServiceObject } from "./bed/objects.ts";
import type { Pod } from "./bed/pod.ts";
import { GATEWAY_HTTP_PORT } from "./bed/ports.ts";
import { WORKERS } from "./bed/proxy.ts";
import { mesh } from "./bed/shared.ts";
import { until } from "./bed/until.ts";
import { isDraining, keyway, keywayDone, publishModule, quiet, routeFile, strictMutualTls } from "./keyway.ts";

const NAMESPACE = "missing";
const BASELINE = "reviews:9080";
const SHOP = "shop.example.com";
/** A target that is missing is asked after four times a second; the rest is for a busy machine. */
const USED_AGAIN_MS = 1000;
const POLL_MS = 5;

let pods: Record<"reviews" | "sandbox" | "caller" | "gateway", Pod>;
let module: string;

beforeAll(async () => {
  await strictMutualTls(NAMESPACE);
  const one = (name: string) => mesh.pod({ name, namespace: NAMESPACE, service: name });
  const [reviews, sandbox, caller, gateway] = await Promise.all([
    one("reviews"),
    one("sandbox"),
    mesh.pod({ name: "caller", namespace: NAMESPACE }),
    mesh.gateway({ name: "edge", namespace: NAMESPACE, labels: { istio: "edge" } }),
  ]);
  pods = { reviews, sandbox, caller, gateway };
  await mesh.apply(
    gatewayObject(NAMESPACE, "edge"),
    virtualServiceObject(NAMESPACE, {
      name: "reviews",
      host: SHOP,
      gateways: ["edge"],
      http: [{ route: [destinationOf(NAMESPACE, "reviews")] }],
    }),
  );
  module = await publishModule();
});

const service = (name: string) => serviceObject(NAMESPACE, name, { app: "sandbox" }, ECHO_PORTS);

beforeEach(async () => {
  for (const name of ["gone", "under-load"])
    await mesh.service({ name, namespace: NAMESPACE, selector: { app: "sandbox" } });
  for (const name of ["empty", "refused"])
    await mesh.service({ name, namespace: NAMESPACE, selector: { app: "nobody" } });
  await mesh.service({ name: "half", namespace: NAMESPACE, selector: { app: "sandbox" } });
  await mesh.apply(refusing("refused"), refusing("half"));
  await quiet(Object.values(pods));
});

/** An endpoint that refuses connections: nobody listens on that port of the gateway's pod. */
function refusing(service: string) {
  const { name: pod, address } = pods.gateway;
  const slice = sliceObject(NAMESPACE, service, ECHO_PORTS, [{ pod, address, ready: true }]);
  return { ...slice, metadata: { ...slice.metadata, name: `${service}-refusing` } };
}

afterEach(() => keywayDone("uninstall", "-n", NAMESPACE, "--all", "--include-edited"));

const modes = [
  ["inbound", "app=reviews", "reviews"],
  ["outbound", "app=caller", "caller"],
  ["gateway", "istio=edge", "gateway"],
] as const;

test.each(modes)("%s", async (mode, selector, chooser) => {
  const routes = await routeFile(
    ...["gone", "empty", "under-load", "refused", "half"].map(
      (name) => `{service: reviews:http, key: ${name}, to: ${name}}`,
    ),
  );
  const install = ["install", "-n", NAMESPACE, "--insecure", "--module", module, "--mode", mode, "-l", selector];
  await keywayDone(...install, "-f", routes);

  const place =
    mode === "gateway"
      ? { host: `${pods.gateway.address}:${GATEWAY_HTTP_PORT}`, headers: { host: SHOP } }
      : { host: BASELINE, headers: {} };
  const ask = async (key: string) => {
    const headers = { ...place.headers, "x-routing-key": key };
    return await pods.caller.request({ host: place.host, headers });
  };
  // Connections that the caller's proxy opened before stay with the baseline until they are drained.
  await until("the old connections to be drained", async () => !(await isDraining(pods.reviews)));
  await until("the target to answer", async () => (await ask("gone")).app === "sandbox");

  const served = await ask("under-load");
  expect(served.app).toBe("sandbox");
  const target = `outbound|9080||under-load.${NAMESPACE}.svc.cluster.local`;
  if (mode === "gateway") {
    expect(served.headers).toMatchObject({ "cache-control": "no-store" });
    expect(served.headers).not.toHaveProperty("x-keyway-served");
  } else expect(served.headers).toMatchObject({ "x-keyway-served": target });

  const seen = JSON.parse(served.body).headers;
  expect(seen).toMatchObject({ "x-keyway-routed": target });
  expect(seen).not.toHaveProperty("x-keyway-cluster");
  const forged = { ...place.headers, "x-keyway-cluster": target };
  const baseline = await pods.caller.request({ host: place.host, headers: forged });
  expect(baseline.app).toBe("reviews");
  expect(JSON.parse(baseline.body).headers).not.toHaveProperty("x-keyway-cluster");

  // The first request of each worker may fail: while its probe is under way at the good endpoint, the balancer may take the other one for the
  // less busy at each try. After a failure the baseline serves for less than a second, and for no other reason.
  const halves = [];
  for (let count = 0; count < 40; count++) halves.push({ at: Date.now(), ...(await ask("half")) });
  const failing = halves.filter(({ status }) => status !== 200);
  expect(failing.length, failing.map(({ status }) => status).join()).toBeLessThanOrEqual(WORKERS);
  const others = halves.filter(({ app }) => app !== undefined && app !== "sandbox");
  expect(others.filter((one) => !failing.some(({ at }) => at <= one.at && one.at < at + USED_AGAIN_MS))).toEqual([]);
  await until("the target's good endpoint to serve", async () => (await ask("half")).app === "sandbox");

  await mesh.delete(service("gone"));
  const clusters = () => pods[chooser].admin("/clusters");
  const gone = `|gone.${NAMESPACE}.`;
  await until("the proxy to know that the target is gone", async () => !(await clusters()).includes(gone));
  for (const key of ["gone", "empty", "refused"]) {
    const answers = [];
    for (let count = 0; count < 40; count++) answers.push(await ask(key));
    const failed = answers.filter(({ status }) => status !== 200);
    expect(failed.length, `${key}: ${failed.map(({ status }) => status)}`).toBeLessThanOrEqual(1);
    expect(answers.slice(1).map(({ app }) => app)).toEqual(Array(39).fill("reviews"));
  }
  expect(await keyway("status", "-n", NAMESPACE)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/target outbound\|9080\|\|gone\S+ is missing \(the proxy has no such cluster\)/),
  });

  const headers = { "x-routing-key": "under-load" };
  const stream: Stream =
    mode === "gateway"
      ? { from: pods.caller, to: pods.gateway, host: SHOP, headers }
      : { from: pods.caller, host: BASELINE, headers };
  const load = await mesh.load([stream, { ...stream, headers: {} as Record<string, string> }], { rate: 40 });
  onTestFinished(() => void load.stop());
  await pause(1000);
  const absences = [
    { what: "its Service is gone", leave: () => mesh.delete(service("under-load")) },
    {
      what: "its endpoints are gone",
      leave: () => mesh.api.apply(sliceObject(NAMESPACE, "under-load", ECHO_PORTS, [])),
    },
  ];
  const times: { what: string; from: number; to: number }[] = [];
  for (const { what, leave } of absences) {
    const from = Date.now();
    await leave();
    await until("the baseline to serve", async () => (await ask("under-load")).app === "reviews");
    await pause(1000);
    times.push({ what, from, to: Date.now() });
    const back = mesh.service({ name: "under-load", namespace: NAMESPACE, selector: { app: "sandbox" } });
    const host = `${target}::${pods.sandbox.address}:`;
    await until("the proxy to know the target again", async () => (await clusters()).includes(host), 60, POLL_MS);
    const known = Date.now();
    await until("the target to serve", async () => (await ask("under-load")).app === "sandbox", 60, POLL_MS);
    expect(Date.now() - known, what).toBeLessThan(USED_AGAIN_MS);
    await back;
  }
  const failed = (await load.stop()).sent.filter(({ ok }) => !ok);
  for (const { what, from, to } of times)
    expect(failed.filter(({ at }) => at >= from && at <= to).length, what).toBeLessThanOrEqual(WORKERS);
  expect(failed.filter(({ at }) => !times.some(({ from, to }) => at >= from && at <= to))).toEqual([]);
});
