// Targets that are missing, in each mode: at most one request per target and proxy fails, then the baseline serves until the target
// is back.
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Stream } from "./bed/mesh.ts";
import { ECHO_PORTS } from "./bed/mesh.ts";
import { gatewayObject, serviceObject, sliceObject } from "./bed/objects.ts";
import type { Pod } from "./bed/pod.ts";
import { GATEWAY_HTTP_PORT } from "./bed/ports.ts";
import { mesh } from "./bed/shared.ts";
import { until } from "./bed/until.ts";
import { keyway, keywayDone, publishModule, quiet, routeFile, strictMutualTls } from "./keyway.ts";

const NAMESPACE = "missing";
const BASELINE = "reviews:9080";
const SHOP = "shop.example.com";

let pods: Record<"reviews" | "caller" | "gateway", Pod>;
let module: string;

beforeAll(async () => {
  await strictMutualTls(NAMESPACE);
  const one = (name: string) => mesh.pod({ name, namespace: NAMESPACE, service: name });
  const [reviews, , caller, gateway] = await Promise.all([
    one("reviews"),
    one("sandbox"),
    mesh.pod({ name: "caller", namespace: NAMESPACE }),
    mesh.gateway({ name: "edge", namespace: NAMESPACE, labels: { istio: "edge" } }),
  ]);
  pods = { reviews, caller, gateway };
  await mesh.apply(gatewayObject(NAMESPACE, "edge"), {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "reviews", namespace: NAMESPACE },
    spec: {
      hosts: [SHOP],
      gateways: ["edge"],
      http: [{ route: [{ destination: { host: `reviews.${NAMESPACE}.svc.cluster.local`, port: { number: 9080 } } }] }],
    },
  });
  module = await publishModule();
});

const sandbox = (name: string, app = "sandbox") => serviceObject(NAMESPACE, name, { app }, ECHO_PORTS);

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
  ["inbound", "app=reviews"],
  ["outbound", "app=caller"],
  ["gateway", "istio=edge"],
] as const;

test.each(modes)("%s", async (mode, selector) => {
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
  await until("the target to answer", async () => (await ask("gone")).app === "sandbox", 20);

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

  const halves = [];
  for (let count = 0; count < 40; count++) halves.push(await ask("half"));
  expect(halves.map(({ app, status }) => `${app} ${status}`)).toEqual(Array(40).fill("sandbox 200"));

  await mesh.delete(sandbox("gone"));
  await pause(1000);
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
  await pause(2000);
  await mesh.delete(sandbox("under-load"));
  await pause(3000);
  expect((await ask("under-load")).app).toBe("reviews");
  await mesh.service({ name: "under-load", namespace: NAMESPACE, selector: { app: "sandbox" } });
  await until("the target to serve again", async () => (await ask("under-load")).app === "sandbox", 10);
  await pause(1000);
  const { failed, failures } = await load.stop();
  expect(failed, failures.join("\n")).toBeLessThanOrEqual(1);
});
