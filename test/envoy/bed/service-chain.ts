// A chain of services, each behind an Envoy of its own that stands on its way in and on its way out. An application is a route that leads from the one
// listener straight to the other and takes off what the service does not hand on, so that many requests cost nobody but the proxies anything. At the end
// stands an Envoy that compares the key that has arrived with the one that the client says it has sent.
import { type Bootstrap, type Listener, manager, type Route } from "../../../scripts/proxy/bootstrap.ts";
import { type Envoy, run } from "../../../scripts/proxy/run.ts";
import { freePort } from "../../registry/listening.ts";
import { bootstrap, cluster, encoded, plugin, setRoutes } from "./bootstrap.ts";
import { metrics, stats } from "./metrics.ts";

/** In which the client says its key, or NONE. Every service hands it on. */
export const WANTED = "x-wanted";
export const NONE = "none";

/** How the end answers where the key is the wanted one, where there is none although one is wanted, and where it is any other. */
export const RIGHT = 200;
export const LOST = 302;

export const TRACED = ["traceparent", "b3", "x-request-id"];

/** What each of four services hands on of a trace, beside what everybody does. None hands on the key. */
export const HANDED_ON = [TRACED, ["traceparent", "b3"], ["b3"], ["x-request-id"]];

/** Keys that have a target of their own behind every service, and keys that have none. */
export const ROUTED = ["pr-000", "pr-001", "pr-002", "pr-003"];
export const UNROUTED = ["pr-004", "pr-005", "pr-006", "pr-007"];

const targetOf = (key: string) => `next-${key}`;
const config = (trace: object) => ({
  keys: ["header:x-routing-key", "trace"],
  routes: ROUTED.map((key) => ({ from: "next", key, to: targetOf(key) })),
  trace,
});

export interface Services {
  /** Where the first one listens. */
  port: number;
  proxies: Envoy[];
  /** The filter's counters, of each service. */
  counters(): Promise<Record<string, number>[]>;
  /** What has arrived at the end: with the key that was wanted, without any, and with another. */
  arrived(): Promise<{ right: number; lost: number; wrong: number }>;
  stop(): Promise<void>;
}

export async function startServices({ trace = {}, concurrency = 1 } = {}): Promise<Services> {
  const end = await run(await endOfChain());
  const started = [end];
  try {
    let next = (name: string) => end.ports[name] as number;
    for (const handedOn of [...HANDED_ON].reverse()) {
      const service = await run(await serviceBefore(next, handedOn, config(trace)), { concurrency });
      started.unshift(service);
      next = () => service.ports.web as number;
    }
    const proxies = started.slice(0, -1);
    return {
      port: next("next"),
      proxies,
      counters: () => Promise.all(proxies.map((proxy) => metrics(proxy))),
      arrived: () => arrivedAt(end),
      stop: async () => void (await Promise.all(started.map((one) => one.stop()))),
    };
  } catch (failure) {
    await Promise.all(started.map((one) => one.stop()));
    throw failure;
  }
}

async function serviceBefore(next: (name: string) => number, handedOn: string[], config: object): Promise<Bootstrap> {
  const names = ["next", ...ROUTED.map(targetOf)];
  const ports = Object.fromEntries(names.map((name) => [name, next(name)]));
  const made = bootstrap({ config, baselines: { "/": "next" }, ports });
  const [out] = made.static_resources.listeners as [Listener];
  const web = structuredClone(out);
  const port = await freePort();
  out.address.socket_address.port_value = port;
  made.static_resources.clusters.push(cluster("app", port));
  setRoutes(web, { "/": "app" });
  const dropped = ["x-routing-key", "x-keyway-routed", ...TRACED.filter((header) => !handedOn.includes(header))];
  (manager(web).route_config.virtual_hosts[0]?.routes[2] as Route).request_headers_to_remove = dropped;
  plugin(web).configuration = encoded(config);
  made.static_resources.listeners = [
    Object.assign(web, { traffic_direction: "INBOUND" }),
    Object.assign(out, { name: "out", traffic_direction: "OUTBOUND" }),
  ];
  return made;
}

/** A listener for each cluster that the last service may send to. */
async function endOfChain(): Promise<Bootstrap> {
  const made = bootstrap({ config: {}, ports: {} });
  const [example] = made.static_resources.listeners as [Listener];
  const listener = (name: string, keys: string[], plain: boolean): Listener => {
    const own = structuredClone(example);
    own.name = name;
    Object.assign(manager(own), {
      http_filters: manager(own).http_filters.slice(-1),
      access_log: [],
      stat_prefix: "end",
    });
    const exactly = (header: string, exact: string) => ({ name: header, string_match: { exact } });
    const none = { name: "x-routing-key", present_match: true, invert_match: true };
    const answer = (headers: object[], status: number) => ({
      match: { prefix: "/", headers },
      direct_response: { status },
    });
    const routes = [
      // The filter's probes of targets carry nothing.
      answer([{ name: WANTED, present_match: true, invert_match: true }], 404),
      ...keys.map((key) => answer([exactly(WANTED, key), exactly("x-routing-key", key)], RIGHT)),
      ...(plain ? [answer([exactly(WANTED, NONE), none], RIGHT), answer([none], LOST)] : []),
      answer([], 500),
    ];
    manager(own).route_config.virtual_hosts = [{ name: "end", domains: ["*"], routes: routes as unknown as Route[] }];
    return own;
  };
  made.static_resources.listeners = [
    listener("next", UNROUTED, true),
    ...ROUTED.map((key) => listener(targetOf(key), [key], false)),
  ];
  return made;
}

async function arrivedAt(end: Envoy) {
  const prefix = "http.end.";
  const counted = await stats(end, "^http\\.end\\.downstream_rq_[235]xx$", prefix);
  const [right = 0, lost = 0, wrong = 0] = [2, 3, 5].map((kind) => counted[`downstream_rq_${kind}xx`]);
  return { right, lost, wrong };
}
