// What `link` costs requests that are no links: Envoy's CPU per request, as ratios to the plain filter.
import { parseArgs } from "node:util";
import { BASELINE, TARGET } from "./lib/bootstrap.ts";
import { modules } from "./lib/compile.ts";
import type { Subject } from "./lib/fleet.ts";
import { anyOf, keyText, type Load, noKey } from "./lib/load.ts";
import { printRatios } from "./lib/ratios.ts";
import { cpuRounds, overFleets, seriesOf } from "./lib/rounds.ts";
import { keyway } from "./lib/sites.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "16" } } });
const plain = {
  keys: ["header:x-routing-key"],
  routes: [{ from: BASELINE, key: keyText(0), to: TARGET }],
  hopMark: "route",
};
const subject = (name: string, config: object, load: Load): Subject => ({
  name,
  site: keyway(modules, JSON.stringify(config)),
  load,
  goesTo: load === noKey ? BASELINE : TARGET,
});
const keyed = anyOf(1);
const subjects = [
  subject("no key, plain", plain, noKey),
  subject("no key, a cookie as a source", { ...plain, keys: ["cookie:keyway", ...plain.keys] }, noKey),
  subject("no key, links", { ...plain, link: true }, noKey),
  subject("keyed, plain", plain, keyed),
  subject("keyed, links", { ...plain, link: true }, keyed),
];
const costs = seriesOf(subjects);
await overFleets(subjects, Number(values.rounds), (running, share) => cpuRounds(running, share, costs));

printRatios(costs, (name) => (name.startsWith("no key") ? "no key, plain" : "keyed, plain"));
