// A life under 500 requests a second, half of them with a key: install, the target deleted and back, the VirtualService edited, upgrade, uninstall. No request
// may go to a wrong place, and none may fail but those that are under way when the target goes.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Answer } from "./bed/client.ts";
import type { Echo } from "./bed/echo.ts";
import { gatewayObject } from "./bed/objects.ts";
import type { Pod } from "./bed/pod.ts";
import { GATEWAY_HTTP_PORT } from "./bed/ports.ts";
import { mesh } from "./bed/shared.ts";
import { until } from "./bed/until.ts";
import { keyway, keywayDone, publishModule, quiet, routeFile, strictMutualTls } from "./keyway.ts";

const NAMESPACE = "kept-load";
const HOST = `shop.${NAMESPACE}.svc.cluster.local:9080`;
const HERE = ["-n", NAMESPACE, "--insecure"];
const KEYED = { "x-routing-key": "pr-42" };
/** Of each proxy. A request of each may be under way when the target goes; the first that fails tells all later ones. */
const WORKERS = 2;
const TARGET = { name: "reviews-pr-42", namespace: NAMESPACE, selector: { app: "reviews-pr-42" } };

let caller: Pod;
let gateway: Pod;
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
  [caller, gateway] = pods;
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
  const destination = { host: `${service}.${NAMESPACE}.svc.cluster.local`, port: { number: 9080 } };
  return mesh.apply({
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "shop", namespace: NAMESPACE },
    spec: {
      hosts: [`shop.${NAMESPACE}.svc.cluster.local`],
      gateways: ["mesh", "front"],
      http: [{ rewrite: { uri }, route: [{ destination }] }],
    },
  });
}

const modes = [
  { mode: "outbound", selector: "app=caller" },
  { mode: "gateway", selector: "istio=front" },
  { mode: "inbound", selector: "app=reviews" },
] as const;

test.each(modes)(
  "$mode, no request goes to a wrong place, and only those under way fail when the target goes",
  async ({ mode, selector }) => {
    const through = mode === "gateway" ? { to: gateway } : {};
    const rate = { rate: 250, seconds: 200 };
    const load = (headers: Record<string, string>) =>
      mesh.load([{ from: caller, ...through, host: HOST, headers }], rate);
    const ask = async (headers = {}): Promise<[app: string | undefined, path: string]> => {
      const host = mode === "gateway" ? `${gateway.address}:${GATEWAY_HTTP_PORT}` : "shop:9080";
      const answer: Answer = await caller.request({ host, headers: { ...headers, host: HOST } });
      return [answer.app, answer.app === undefined ? "" : (JSON.parse(answer.body) as Echo).path];
    };
    const becomes = (what: string, headers: object, app: string) =>
      until(what, async () => (await ask(headers))[0] === app, 30);

    const [plain, keyed] = await Promise.all([load({}), load(KEYED)]);
    const first = await routeFile("{service: reviews:http, key: pr-42, to: reviews-pr-42}");
    await keywayDone("install", ...HERE, "-l", selector, "--mode", mode, "--module", module, "-f", first);
    await becomes("the first routed request", KEYED, "reviews-pr-42");

    await mesh.delete({ apiVersion: "v1", kind: "Service", metadata: { name: TARGET.name, namespace: NAMESPACE } });
    await becomes("the baseline to serve for the target", KEYED, "reviews");
    await mesh.service(TARGET);
    await becomes("the target to serve again", KEYED, "reviews-pr-42");

    await lead("reviews", "/second");
    await until("the new route", async () => (await ask())[1] === "/second", 30);
    // A stale twin has the settings of its time; inbound there is none, since the caller has applied them.
    expect(await ask(KEYED)).toEqual(["reviews-pr-42", mode === "inbound" ? "/second" : "/first"]);
    const second = await routeFile(
      "{service: reviews:http, key: pr-42, to: reviews-pr-42}",
      "{service: reviews:http, key: other, to: reviews-pr-42}",
    );
    await keywayDone("upgrade", ...HERE, "-f", second);
    await until("the new twin", async () => (await ask(KEYED))[1] === "/second", 30);

    await lead("ratings", "/third");
    await becomes("the route to another service", {}, "ratings");
    expect((await ask(KEYED))[0]).toBe("ratings");
    await lead("reviews", "/first");
    await becomes("the route back", {}, "reviews");

    await keywayDone("uninstall", "-n", NAMESPACE);
    await becomes("the baseline after the uninstall", KEYED, "reviews");
    const [without, withKey] = [await plain.stop(), await keyed.stop()];
    expect({ failed: without.failed, failures: without.failures }).toEqual({ failed: 0, failures: [] });
    expect(places(without.answers)).toEqual(["ratings", "reviews"]);
    expect(places(withKey.answers).filter((place) => !place.endsWith(" 503"))).toEqual([
      "ratings",
      "reviews",
      "reviews-pr-42",
    ]);
    expect(withKey.failed, withKey.failures.join("; ")).toBeLessThanOrEqual(WORKERS);
    expect(Math.min(without.requests, withKey.requests)).toBeGreaterThan(1000);
  },
);

/** Who answered, without the host that was asked. */
function places(answers: Record<string, number>): string[] {
  return Object.keys(answers)
    .map((name) => name.replace(`${HOST} -> `, ""))
    .sort();
}
