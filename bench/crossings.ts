// Which calls into Envoy the module makes for one request, in order: together with the price of each they are its cost.
import { proxyWith } from "../test/host/module.ts";
import { BASELINE, TARGET } from "./lib/bootstrap.ts";
import type { Crossings } from "./results.ts";

const requests: { request: string; headers: Record<string, string> }[] = [
  { request: "no key", headers: {} },
  { request: "a key but no route", headers: { "x-routing-key": "pr-1" } },
  { request: "routed", headers: { "x-routing-key": "pr-42" } },
];

export function crossings(): Crossings[] {
  const { envoy, filter } = proxyWith({ routes: [{ from: BASELINE, key: "pr-42", to: TARGET }], hopMark: "route" });
  envoy.process.clusters.set(BASELINE, true).set(TARGET, true);
  return requests.map(({ request, headers }) => {
    // The first request of a kind may find things to be fetched that later ones have.
    filter.request({ headers, cluster: BASELINE });
    const calls: string[] = [];
    envoy.process.meanwhile = ({ name }) => calls.push(name.replace("proxy_", ""));
    filter.request({ headers, cluster: BASELINE });
    envoy.process.meanwhile = undefined;
    return { request, calls };
  });
}
