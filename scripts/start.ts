// npm start: a real Envoy from envoy.yaml with small services behind it. With --once it stops after the table.
import "./uncaught.ts";
import { parseArgs } from "node:util";
import { buildModule } from "../installer/module/build.ts";
import { type Bootstrap, endpoint, example } from "./proxy/bootstrap.ts";
import { run } from "./proxy/run.ts";
import { serve } from "./proxy/upstream.ts";
import { free } from "./start/ports.ts";
import { send } from "./start/requests.ts";
import { table } from "./start/table.ts";

const { values: options } = parseArgs({ options: { once: { type: "boolean", default: false } } });
const say = (text: string) => console.error(`keyway: ${text}`);

// Envoy is stopped by run()'s own hook on this process's exit.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit());

say("building the module");
await buildModule();
const bootstrap = await moved(example());
const { listeners, clusters } = bootstrap.static_resources;
await Promise.all(clusters.map((cluster) => serve(cluster.name, endpoint(cluster).port_value)));
say("starting Envoy");
const envoy = await run(bootstrap, { concurrency: 2 });

console.log(`\n${table(await send(envoy))}\n`);
if (options.once) process.exit();

const web = `http://127.0.0.1:${envoy.ports[listeners[0]?.name ?? ""]}`;
say(`serving until Ctrl-C on ${web}; Envoy's admin page is http://127.0.0.1:${envoy.admin}`);
say(`try: curl -H 'x-routing-key: pr-42' ${web}/`);
await envoy.gone;
say(`Envoy stopped by itself:\n${envoy.lastWords()}`);
process.exit(1);

/** The same configuration with every port that is taken replaced by a free one, each told. */
async function moved(bootstrap: Bootstrap): Promise<Bootstrap> {
  const { listeners, clusters } = bootstrap.static_resources;
  const places = [
    ...listeners.map(({ name, address }) => ({ what: `listener ${name}`, place: address.socket_address })),
    { what: "Envoy's admin page", place: bootstrap.admin.address.socket_address },
    ...clusters.map((cluster) => ({ what: `service ${cluster.name}`, place: endpoint(cluster) })),
  ];
  const taken = new Set<number>();
  for (const { what, place } of places) {
    const wanted = place.port_value;
    place.port_value = await free(wanted, taken);
    taken.add(place.port_value);
    if (place.port_value !== wanted) say(`port ${wanted} is taken; ${what} is on ${place.port_value} instead`);
  }
  return bootstrap;
}
