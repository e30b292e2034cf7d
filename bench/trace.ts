// What the source `trace` costs: Envoy's CPU per request that comes in and goes out by the same proxy, as ratios to the plain filter's two
// passes. The inbound listener hands each request straight to the outbound one, as an application would that forwards every header; Envoy
// gives every request an id of its own.
import { parseArgs } from "node:util";
import { freePort } from "../test/registry/listening.ts";
import { BASELINE, bootstrap, type Json, type Site, TARGET } from "./lib/bootstrap.ts";
import { modules } from "./lib/compile.ts";
import type { Subject } from "./lib/fleet.ts";
import { anyOf, keyText, type Load, noKey } from "./lib/load.ts";
import { printRatios } from "./lib/ratios.ts";
import { cpuRounds, overFleets, seriesOf } from "./lib/rounds.ts";
import { keyway } from "./lib/sites.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "20" } } });
const APP = "app";
/** The clusters' names as Istio gives them, by which the filter knows the direction. */
const NAMES: Record<string, string> = {
  [APP]: "inbound|80||",
  [BASELINE]: "outbound|80||baseline.demo.svc.cluster.local",
};

/** What the filter is given on its way in and on its way out. */
type Filters = { inbound: Json; outbound: Json };
const plain = {
  keys: ["header:x-routing-key"],
  routes: [{ from: BASELINE, key: keyText(0), to: TARGET }],
  hopMark: "route",
};
const traced = { ...plain, keys: [...plain.keys, "trace"] };
const same = (config: Json): Filters => ({ inbound: config, outbound: config });
const different = (config: Json, trace: boolean): Filters => ({
  inbound: { ...config, routes: [], ...(trace && { trace: { direction: "inbound" } }) },
  outbound: { ...config, ...(trace && { trace: { direction: "outbound" } }) },
});

type Listener = Json & { address: Json };
const listenerOf = (config: Json) => (config.static_resources as { listeners: [Listener] }).listeners[0];

/** Statistics keep the short names. */
function named(config: Json): Json {
  const text = Object.entries(NAMES).reduce(
    (text, [short, name]) => text.replaceAll(new RegExp(String.raw`(\\?")${short}\1`, "g"), `$1${name}$1`),
    JSON.stringify(config),
  );
  const adapted = JSON.parse(text) as { static_resources: { clusters: Json[] } };
  for (const cluster of adapted.static_resources.clusters)
    for (const [short, name] of Object.entries(NAMES)) if (cluster.name === name) cluster.alt_stat_name = short;
  return adapted;
}

/** Puts the way in before the way out that there is. */
function withWayIn(site: Site, port: number, dropsKey: boolean): (config: Json) => Json {
  const route = {
    match: { prefix: "/" },
    route: { cluster: APP },
    ...(dropsKey && { request_headers_to_remove: ["x-routing-key"] }),
  };
  const address = { socket_address: { address: "127.0.0.1", port_value: port } };
  return (config) => {
    const { clusters } = config.static_resources as { clusters: Json[] };
    const wayIn = listenerOf(bootstrap({ ...site, host: { routes: [route] } }));
    const wayOut = { ...listenerOf(config), name: "out", address, traffic_direction: "OUTBOUND" };
    const app = {
      name: APP,
      type: "STATIC",
      load_assignment: { cluster_name: APP, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    };
    const listeners = [{ ...wayIn, traffic_direction: "INBOUND" }, wayOut];
    return named({ ...config, static_resources: { listeners, clusters: [...clusters, app] } });
  };
}

async function subject(name: string, { inbound, outbound }: Filters, load: Load, dropsKey = false): Promise<Subject> {
  const [wayIn, wayOut] = [inbound, outbound].map((config) => keyway(modules, JSON.stringify(config))) as [Site, Site];
  const adapt = withWayIn(wayIn, await freePort(), dropsKey);
  return { name, site: wayOut, load, goesTo: load === noKey ? BASELINE : TARGET, adapt };
}

const keyed = anyOf(1);
const subjects = await Promise.all([
  subject("no key, plain", same(plain), noKey),
  subject("no key, trace", same(traced), noKey),
  subject("no key, plain, a configuration for each way", different(plain, false), noKey),
  subject("no key, trace, a configuration for each way", different(traced, true), noKey),
  subject("keyed, plain", same(plain), keyed),
  subject("keyed, trace, the key is forwarded", same(traced), keyed),
  subject("keyed, trace, the key is given back", same(traced), keyed, true),
  subject("keyed, plain, a configuration for each way", different(plain, false), keyed),
  subject("keyed, trace, a configuration for each way, the key is given back", different(traced, true), keyed, true),
]);
const costs = seriesOf(subjects);
await overFleets(subjects, Number(values.rounds), (running, share) => cpuRounds(running, share, costs));

printRatios(costs, (name) => (name.startsWith("no key") ? "no key, plain" : "keyed, plain"));
