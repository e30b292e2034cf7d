// npm start: a real Envoy from envoy.yaml with small services behind it, and two more that follow a route server. With --once it stops
// after showing what they do.
import "./uncaught.ts";
import { chdir } from "node:process";
import { parseArgs } from "node:util";
import { DEFAULT_SERVER } from "../installer/cli/table-flags.ts";
import { buildModule } from "../installer/module/build.ts";
import { buildCommand } from "./build/command.ts";
import { type Bootstrap, endpoint, example, ROOT } from "./proxy/bootstrap.ts";
import { run } from "./proxy/run.ts";
import { serve } from "./proxy/upstream.ts";
import { show, startLive } from "./start/live.ts";
import { free } from "./start/ports.ts";
import { send } from "./start/requests.ts";
import { table } from "./start/table.ts";

const { values: options } = parseArgs({ options: { once: { type: "boolean", default: false } } });
const say = (text: string) => console.error(`keyway: ${text}`);

// Envoys and the route server are stopped by hooks on this process's exit.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit());

say("building the module and the command");
chdir(ROOT);
await Promise.all([buildModule(), buildCommand()]);
const taken = new Set<number>();
const bootstrap = await moved(example());
const { listeners, clusters } = bootstrap.static_resources;
await Promise.all(clusters.map((cluster) => serve(cluster.name, endpoint(cluster).port_value)));
say("starting Envoy");
const envoy = await run(bootstrap, { concurrency: 2 });

console.log(`\n${table(await send(envoy))}\n`);
say("starting a route server and two Envoys that follow it");
const live = await startLive(clusters, taken);
console.log(`\n${await show(live)}\n`);
if (options.once) process.exit();

const web = `http://127.0.0.1:${envoy.ports[listeners[0]?.name ?? ""]}`;
say(`serving until Ctrl-C on ${web}; Envoy's admin page is http://127.0.0.1:${envoy.admin}`);
say(`try: curl -H 'x-routing-key: pr-42' ${web}/`);
const { server, proxies } = live;
say(
  `the route server is ${server.url}; it is followed by ${proxies.map((one) => `http://127.0.0.1:${one.ports.web}`).join(" and ")}`,
);
const named = server.url === DEFAULT_SERVER ? "" : ` --server ${server.url}`;
say(`try: npx keyway route set reviews --key mine --to reviews-v2${named}`);
say(`and: curl -H 'x-routing-key: mine' http://127.0.0.1:${proxies[0]?.ports.web}/`);
await Promise.race([envoy.gone, server.gone, ...proxies.map(({ gone }) => gone)]);
say(`something stopped by itself:\n${[envoy, ...proxies].map((one) => one.lastWords()).join("\n")}`);
process.exit(1);

/** The same configuration with every port that is taken replaced by a free one, each told. */
async function moved(bootstrap: Bootstrap): Promise<Bootstrap> {
  const { listeners, clusters } = bootstrap.static_resources;
  const places = [
    ...listeners.map(({ name, address }) => ({ what: `listener ${name}`, place: address.socket_address })),
    { what: "Envoy's admin page", place: bootstrap.admin.address.socket_address },
    ...clusters.map((cluster) => ({ what: `service ${cluster.name}`, place: endpoint(cluster) })),
  ];
  for (const { what, place } of places) {
    const wanted = place.port_value;
    place.port_value = await free(wanted, taken);
    taken.add(place.port_value);
    if (place.port_value !== wanted) say(`port ${wanted} is taken; ${what} is on ${place.port_value} instead`);
  }
  return bootstrap;
}
