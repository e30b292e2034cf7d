import { Option } from "commander";
import { parseRouteFile, type RouteFile } from "../../routes/reading/route-file.ts";
import { type Register, teach } from "../cli/command.ts";
import { readInput, reading } from "../cli/input.ts";
import { type Format, toJson, toYaml } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { type Baseline, collectBaseline, collectCluster, parseAddress } from "../render/address.ts";
import { type Address, accessLogs, envoyConfiguration, guardRoute, httpFilter, REMARKS } from "../render/envoy.ts";
import { plainConfiguration, wire } from "../render/plain.ts";

const parts = ["filter", "route", "access-log"] as const;

interface Options {
  routes: string;
  module: string;
  watchModule: string;
  listen: Address;
  admin?: Address;
  cluster?: Map<string, Address>;
  baseline?: Baseline[];
  part?: (typeof parts)[number];
  output: Exclude<Format, "table">;
}

export const renderEnvoy: Register = (group, io) => {
  teach(group, {
    usage: "envoy",
    about: `Prints the configuration of an Envoy that routes by the route file. A service's name is its cluster's name; where it is written with its port (reviews:9080), that is also its address.`,
    examples: [
      ["a whole configuration", "keyway render envoy -f routes.yaml --cluster reviews=10.0.0.7:9080 > envoy.yaml"],
      [
        "two baselines",
        "keyway render envoy -f routes.yaml --baseline /ratings=ratings --baseline /=reviews > envoy.yaml",
      ],
      [
        "the route to copy into every virtual host of your own envoy.yaml",
        "keyway render envoy -f routes.yaml --part route",
      ],
    ],
  })
    .requiredOption("-f, --routes <file>", "route file; - reads stdin")
    .addOption(
      new Option("--listen <address>", "where Envoy listens")
        .argParser(parseAddress)
        .default({ host: "127.0.0.1", port: 10000 }, "127.0.0.1:10000"),
    )
    .option("--admin <address>", "where Envoy's administration listens (default: nowhere)", parseAddress)
    .option("--cluster <name=address>", "where a cluster is; can be repeated", collectCluster)
    .option(
      "--baseline <path=cluster>",
      "where requests to a path go without Keyway; can be repeated (default: all to the only baseline of the route file)",
      collectBaseline,
    )
    .option("--module <path>", "where Envoy finds the filter", "build/keyway.wasm")
    .option("--watch-module <path>", "where Envoy finds the watcher", "build/keyway-watch.wasm")
    .addOption(new Option("--part <part>", "only this part").choices(parts))
    .addOption(new Option("-o, --output <format>", "how to print it").choices(["yaml", "json"]).default("yaml"))
    .action(async (options: Options) => {
      const text = await readInput(options.routes, io);
      const file = reading(options.routes, () => parseRouteFile(text));
      const data = reading(options.routes, () => rendered(file, options));
      const remarks = options.part === undefined ? REMARKS : [];
      io.out.write(options.output === "json" ? toJson(data) : toYaml(data, remarks));
      if (options.part === undefined)
        progress(io).next("`envoy --mode validate -c envoy.yaml` checks it, `envoy -c envoy.yaml` runs it");
    });
};

function rendered(file: RouteFile, options: Options): unknown {
  const { listen, admin, module, watchModule: watch, cluster = new Map(), baseline = [], part } = options;
  const configuration = plainConfiguration(file);
  if (part === "filter") return [httpFilter({ module, configuration })];
  if (part === "route") return [guardRoute()];
  if (part === "access-log") return accessLogs({ watch });
  const wiring = wire(file, configuration, { clusters: cluster, baselines: baseline });
  return envoyConfiguration({ configuration, listen, admin, module, watch, ...wiring });
}
