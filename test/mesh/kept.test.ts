// What a routed request keeps of its route on Istio: for each feature of a VirtualService and each mode, the same request is sent without and with a
// key, and the two may differ in the application that answers and in nothing else.
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectTableIn } from "../page.ts";
import type { Answer } from "./bed/client.ts";
import type { Echo } from "./bed/echo.ts";
import type { Pod } from "./bed/pod.ts";
import { GATEWAY_HTTP_PORT } from "./bed/ports.ts";
import { mesh } from "./bed/shared.ts";
import { until } from "./bed/until.ts";
import { FEATURES, type Feature, hostOf, NAMESPACE, virtualServices } from "./features.ts";
import { keyway, keywayDone, publishModule, quiet, routeFile, strictMutualTls } from "./keyway.ts";

// For both ways all workloads are selected, so that the filter stands in every proxy that a request meets.
const MODES = { inbound: "app=reviews", outbound: "app=caller", both: "version=v1", gateway: "istio=front" };
type Mode = keyof typeof MODES;

let caller: Pod;
let gateway: Pod;
let module: string;
const kept: Record<string, Partial<Record<Mode, string>>> = {};

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
  // Nobody stands behind these names: their VirtualServices lead elsewhere.
  for (const { name } of FEATURES) {
    await mesh.service({ name: `f-${name}`, namespace: NAMESPACE, selector: { app: "nobody" } });
  }
  await mesh.apply(...virtualServices());
  await quiet(pods);
  module = await publishModule();
});

afterAll(() => keyway("uninstall", "-n", NAMESPACE, "--include-edited", "--no-wait"));

describe.each(Object.entries(MODES) as [Mode, string][])("%s", (mode, selector) => {
  beforeAll(async () => {
    const routes = await routeFile("{service: reviews:http, key: pr-42, to: reviews-pr-42}");
    const place = ["-n", NAMESPACE, "--insecure", "-l", selector];
    await keywayDone("install", ...place, "--mode", mode, "--module", module, "-f", routes);
    await until("the first routed request", async () => (await ask(mode, plain, keyed)).app === "reviews-pr-42");
  });
  afterAll(async () => void (await keywayDone("uninstall", "-n", NAMESPACE)));

  test.each(FEATURES.map((feature) => [feature.setting, feature] as const))("%s", async (_, feature) => {
    const without = await shown(mode, feature, {});
    const withKey = await shown(mode, feature, keyed);
    const same = isDeepStrictEqual(withKey, without);
    kept[feature.name] = { ...kept[feature.name], [mode]: same ? "kept" : "**not kept**" };
    expect(withKey).toEqual(without);
  });
});

test("docs/what-is-kept-on-istio.md says so", async () => {
  const modes = Object.keys(MODES) as Mode[];
  const rows = FEATURES.map(({ name, setting }) => {
    return `| ${setting} | ${modes.map((mode) => kept[name]?.[mode]).join(" | ")} |`;
  });
  const head = [`| setting of the VirtualService | ${modes.join(" | ")} |`, `|---|${modes.map(() => "---|").join("")}`];
  await expectTableIn("what-is-kept-on-istio.md", [...head, ...rows]);
});

const keyed = { "x-routing-key": "pr-42" };
const plain = FEATURES[0] as Feature;
let ids = 0;

/** What a caller and the application see, without who answered: where the baseline's `reviews` would, a routed request has its target. */
async function shown(mode: Mode, feature: Feature, key: Record<string, string>) {
  const times = feature.times ?? 1;
  const id = `${mode}-${ids++}`;
  const started = Date.now();
  const answers: Answer[] = [];
  for (let time = 0; time < times; time++) answers.push(await ask(mode, feature, { ...key, "x-echo-id": id }));
  const slow = feature.slow !== undefined && Date.now() - started >= feature.slow;
  const reviews = "x-routing-key" in key ? "reviews-pr-42" : "reviews";
  const apps = [...new Set(answers.map(({ app }) => (app === reviews ? "DESTINATION" : (app ?? "a proxy"))))].sort();
  const last = answers.at(-1) as Answer;
  const seen = last.app === undefined ? undefined : seenBy(JSON.parse(last.body) as Echo, feature);
  const headers = Object.fromEntries((feature.answer ?? []).map((name) => [name, last.headers[name] ?? null]));
  const mirrored = feature.mirror === undefined ? undefined : await copies(feature.mirror, id);
  return { status: last.status, apps, slow, seen, headers, mirrored };
}

function seenBy({ method, path, headers, attempt }: Echo, { application = [], times = 1 }: Feature) {
  const chosen = Object.fromEntries(application.map((name) => [name, headers[name] ?? null]));
  return { method, path, attempt: times === 1 ? attempt : undefined, headers: chosen };
}

function ask(mode: Mode, { name, request = {} }: Feature, headers: Record<string, string>): Promise<Answer> {
  const { path = "/", method = "GET", headers: own = {} } = request;
  const host = hostOf(name);
  const call = { path, method, headers: { ...own, ...headers, host } };
  return caller.request({
    ...call,
    host: mode === "gateway" ? `${gateway.address}:${GATEWAY_HTTP_PORT}` : `f-${name}:9080`,
  });
}

/** How many requests with this id an application has had, once there is one: nobody waits for the copy that a mirror gets. */
function copies(app: string, id: string): Promise<number> {
  let asked = 0;
  return until(`a copy of request ${id} at ${app}`, async () => {
    const { body } = await caller.request({ host: `${app}:9080`, headers: { "x-echo-id": id } });
    return (JSON.parse(body) as Echo).attempt - ++asked;
  });
}
