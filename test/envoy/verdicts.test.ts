// What a failed request says of its target: that it can't be used, or only that this one request could not be served.
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { AccessLog, Bootstrap, Cluster, HttpFilter, Listener } from "../../scripts/proxy/bootstrap.ts";
import { manager } from "../../scripts/proxy/bootstrap.ts";
import { serve, type Upstream } from "../../scripts/proxy/upstream.ts";
import { type Bed, startBed } from "./bed/bed.ts";
import { cluster } from "./bed/bootstrap.ts";
import type { Answer, Ask } from "./bed/client.ts";
import { until } from "./bed/until.ts";

type Target = Cluster & Record<string, unknown>;
const ROUTES = { routes: [{ from: "reviews", key: "k", to: "target" }] };
const keyed = (headers: Record<string, string> = {}): Ask => ({ headers: { "x-routing-key": "k", ...headers } });

let bed: Bed;
let late: Upstream | undefined;
afterEach(async () => {
  await bed.stop();
  await late?.stop();
  late = undefined;
});

const from = (answers: Answer[]) => answers.map(({ status, service }) => service || String(status));
const failed = (answers: Answer[]) => answers.filter(({ status }) => status !== 200);

async function series(count: number, what: Ask, every = 0): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let i = 0; i < count; i++) {
    answers.push(await bed.ask(what));
    if (every) await sleep(every);
  }
  return answers;
}

/** Changes the cluster `target`, and may put a filter into the chain before the one of Keyway or behind it. */
function withTarget(change: (target: Target) => void, filter?: HttpFilter, before = true) {
  return ({ static_resources }: Bootstrap) => {
    change(static_resources.clusters.find(({ name }) => name === "target") as Target);
    const [web] = static_resources.listeners as [Listener];
    if (filter) manager(web).http_filters.splice(before ? 0 : 1, 0, filter);
  };
}

const SUBSETS = { fallback_policy: "NO_FALLBACK", subset_selectors: [{ keys: ["version"] }] };
/** Asks for the hosts whose version is what the header says. */
const subsetByHeader: HttpFilter = {
  name: "envoy.filters.http.header_to_metadata",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config",
    request_rules: [{ header: "x-version", on_header_present: { metadata_namespace: "envoy.lb", key: "version" } }],
  },
};

function intoSubset(target: Target): void {
  target.lb_subset_config = SUBSETS;
  const [endpoint] = target.load_assignment.endpoints.flatMap(({ lb_endpoints }) => lb_endpoints);
  Object.assign(endpoint as object, { metadata: { filter_metadata: { "envoy.lb": { version: "one" } } } });
}

test("requests without a subset, of which the target has no host, don't push off those that ask for one", async () => {
  bed = await startBed({
    config: ROUTES,
    targets: ["target"],
    concurrency: 2,
    change: withTarget(intoSubset, subsetByHeader),
  });
  for (let round = 0; round < 5; round++) {
    expect(failed(await series(4, keyed())).length).toBeLessThanOrEqual(1);
    expect(from(await series(8, keyed({ "x-version": "one" })))).toEqual(Array(8).fill("target"));
  }
});

test("requests for a subset that has no host don't push off those that ask for another", async () => {
  bed = await startBed({
    config: ROUTES,
    targets: ["target"],
    concurrency: 2,
    change: withTarget(intoSubset, subsetByHeader),
  });
  for (let round = 0; round < 5; round++) {
    expect(from(await series(4, keyed({ "x-version": "none" })))).toEqual(Array(4).fill("503"));
    expect(from(await series(8, keyed({ "x-version": "one" })))).toEqual(Array(8).fill("target"));
  }
});

/** The subset is asked for by the route that the request takes when it is selected, whatever filters have set. */
function subsetByRoute(made: Bootstrap): void {
  withTarget(intoSubset)(made);
  const [web] = made.static_resources.listeners as [Listener];
  const [host] = (manager(web) as unknown as { route_config: { virtual_hosts: { routes: SelectedRoute[] }[] } })
    .route_config.virtual_hosts;
  const routes = host?.routes ?? [];
  const selected = structuredClone(routes.find(({ route }) => route?.cluster_header) as SelectedRoute);
  selected.match.headers.push({ name: "x-version", present_match: true });
  selected.route.metadata_match = { filter_metadata: { "envoy.lb": { version: "one" } } };
  routes.unshift(selected);
}
type SelectedRoute = {
  match: { headers: object[] };
  route: { cluster_header?: string; metadata_match?: object };
};

test.each([
  ["a filter behind the one of Keyway", withTarget(intoSubset, subsetByHeader, false)],
  ["a filter before the one of Keyway", withTarget(intoSubset, subsetByHeader)],
  ["the route", subsetByRoute],
])("where %s sets the subset, those with one are served within a second of a request without", async (_, change) => {
  bed = await startBed({ config: ROUTES, targets: ["target"], concurrency: 2, change });
  const good = keyed({ "x-version": "one" });
  for (let round = 0; round < 3; round++) {
    await bed.ask(keyed());
    const meanwhile = await series(20, good, 50);
    expect(failed(meanwhile)).toEqual([]);
    expect(from(await series(20, good))).toEqual(Array(20).fill("target"));
  }
});

/** A session that a client asks for by itself: the address of the host that it was served by. */
const strictSession: HttpFilter = {
  name: "envoy.filters.http.stateful_session",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.stateful_session.v3.StatefulSession",
    strict: true,
    session_state: {
      name: "envoy.http.stateful_session.header",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState",
        name: "x-session",
      },
    },
  },
};

test("a client with a stale strict session, five times a second, does not push the others off", async () => {
  bed = await startBed({
    config: ROUTES,
    targets: ["target"],
    concurrency: 2,
    change: withTarget(() => {}, strictSession, false),
  });
  let running = true;
  const stale = Buffer.from("127.0.0.1:1").toString("base64");
  const client = (async () => {
    const answers: Answer[] = [];
    while (running) {
      answers.push(await bed.ask(keyed({ "x-session": stale })));
      await sleep(200);
    }
    return answers;
  })();
  const others = await series(60, keyed(), 40);
  running = false;
  expect(new Set(from(await client))).toEqual(new Set(["503"]));
  expect(from(others)).toEqual(Array(60).fill("target"));
});

const healthCheck = {
  timeout: "1s",
  interval: "0.1s",
  // Without requests Envoy would ask once a minute.
  no_traffic_interval: "0.1s",
  unhealthy_threshold: 1,
  healthy_threshold: 1,
  http_health_check: { path: "/" },
};

function pointTo(port: number): (target: Target) => void {
  return (target) => {
    target.load_assignment = cluster("target", port).load_assignment;
  };
}

/** A port of this machine where nobody listens. */
async function closedPort(): Promise<number> {
  const upstream = await serve("nobody");
  await upstream.stop();
  return upstream.port;
}

describe.each([
  ["under the default panic threshold", undefined, 1],
  // The second one is the trial that finds out whether requests for a subset would be served.
  ["with panic off", { healthy_panic_threshold: { value: 0 } }, 2],
])("a target whose only host fails its active health check, %s", (_, lbConfig, price) => {
  test(`costs at most ${price} failed requests, and is used again when it is back`, async () => {
    const port = await closedPort();
    bed = await startBed({
      config: ROUTES,
      targets: ["target"],
      concurrency: 2,
      change: withTarget((target) => {
        pointTo(port)(target);
        target.health_checks = [healthCheck];
        if (lbConfig) target.common_lb_config = lbConfig;
      }),
    });
    await until(
      "the failure of its health check",
      () => bed.envoy.ask("/clusters"),
      (text) => /^target::.*failed_active_hc/m.test(text),
    );
    const answers = await series(60, keyed(), 50);
    expect(failed(answers).length).toBeLessThanOrEqual(price);
    expect(new Set(from(answers.slice(20)))).toEqual(new Set(["reviews"]));
    late = await serve("target", port);
    const seen: Answer[] = [];
    const ask = async () => seen[seen.push(await bed.ask(keyed())) - 1] as Answer;
    await until("the target", ask, ({ service }) => service === "target");
    expect(failed(seen)).toEqual([]);
    await late.stop();
    const lost = await series(60, keyed(), 50);
    expect(failed(lost).length).toBeLessThanOrEqual(price);
    expect(lost.at(-1)?.service).toBe("reviews");
  });
});

test("a target that refuses connections costs one request, does not flap, and is back within a second", async () => {
  const port = await closedPort();
  bed = await startBed({
    config: ROUTES,
    targets: ["target"],
    concurrency: 2,
    change: withTarget(pointTo(port)),
  });
  const answers = await series(80, keyed(), 50);
  expect(failed(answers).length).toBeLessThanOrEqual(1);
  expect(new Set(from(answers.slice(2)))).toEqual(new Set(["reviews"]));
  late = await serve("target", port);
  await sleep(500);
  await bed.ask(keyed());
  await sleep(100);
  expect(from(await series(20, keyed()))).toEqual(Array(20).fill("target"));
});

test("where only NC and UH are watched, a target that refuses connections is left as it is", async () => {
  const port = await closedPort();
  bed = await startBed({
    config: ROUTES,
    targets: ["target"],
    concurrency: 2,
    change: (made) => {
      withTarget(pointTo(port))(made);
      const [web] = made.static_resources.listeners as [Listener];
      (manager(web).access_log[0] as AccessLog).filter = { response_flag_filter: { flags: ["NC", "UH"] } };
    },
  });
  expect(new Set(from(await series(20, keyed(), 20)))).toEqual(new Set(["503"]));
  late = await serve("target", port);
  expect(from(await series(5, keyed()))).toEqual(Array(5).fill("target"));
});
