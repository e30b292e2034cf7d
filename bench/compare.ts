// Two builds of the module side by side: Envoy's CPU per request with each, as ratios to each other, to Envoy's own single header
// route and to Envoy with no filter.
import { parseArgs } from "node:util";
import { bootstrap } from "./lib/bootstrap.ts";
import { type EnvoyProcess, startEnvoy } from "./lib/envoy.ts";
import { anyOf, lastOf, noKey, noRoute, PROXY_CORE } from "./lib/load.ts";
import { cpuRounds, type Running } from "./lib/rounds.ts";
import { headerRoutes, keywayConfiguration, noFilter, wasm } from "./lib/sites.ts";
import { quantile } from "./lib/stats.ts";
import { startUpstream } from "./lib/upstream.ts";

// Other work on the machine only ever adds to a round's cost, so the cheap rounds of each are the ones least disturbed.
const QUIET = 0.15;
const usage =
  "usage: node bench/compare.ts A.wasm B.wasm [--case routed|nokey|noroute] [--keys N] [--workers N] [--rounds N]";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    case: { type: "string", default: "routed" },
    keys: { type: "string", default: "1" },
    workers: { type: "string", default: "1" },
    rounds: { type: "string", default: "20" },
  },
});
const keys = Number(values.keys);
const load = { routed: anyOf(keys), nokey: noKey, noroute: noRoute }[values.case];
if (load === undefined || positionals.length !== 2) {
  console.error(usage);
  process.exit(2);
}

const [a, b] = positionals as [string, string];
const site = (file: string) => wasm(file, keywayConfiguration(keys));
const subjects = [
  { name: "native", site: headerRoutes(1), load: lastOf(1) },
  { name: "none", site: noFilter, load },
  { name: "A", site: site(a), load },
  { name: "B", site: site(b), load },
];

const proxies: EnvoyProcess[] = [];
const start = async (proxy: Promise<EnvoyProcess>) => {
  proxies.push(await proxy);
  return proxy;
};

try {
  const upstream = await start(startUpstream());
  const running: Running[] = [];
  for (const { name, site, load } of subjects) {
    const config = bootstrap({ ...site, upstreamPort: upstream.port });
    const proxy = await start(startEnvoy(config, { core: PROXY_CORE, workers: Number(values.workers) }));
    running.push({ name, proxy, load });
  }
  const costs = await cpuRounds(running, Number(values.rounds), (line) => process.stderr.write(`\r${line}`));
  process.stderr.write("\n");
  const of = (name: string) => costs.get(name) as number[];
  const ratio = (over: string, under: string) => {
    const ratios = of(over).map((cost, round) => cost / (of(under)[round] as number));
    const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(ratios, share).toFixed(3));
    const quiet = quantile(of(over), QUIET) / quantile(of(under), QUIET);
    console.log(`${over} / ${under}`.padEnd(16), middle, ` quartiles ${low} ${high}, quiet rounds ${quiet.toFixed(3)}`);
  };
  for (const { name } of subjects) console.log(`${name} us/request`.padEnd(18), quantile(of(name), 0.5).toFixed(1));
  ratio("B", "A");
  for (const name of ["A", "B"]) for (const under of ["native", "none"]) ratio(name, under);
} finally {
  await Promise.all(proxies.map((proxy) => proxy.stop()));
}
