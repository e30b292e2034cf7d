import { type Command, InvalidArgumentError, Option } from "commander";
import { removesTraces } from "../../routes/model/edge.ts";
import { hasLinks } from "../../routes/model/links.ts";
import type { Configuration } from "../../routes/model/model.ts";
import { HEADER_CLUSTER, MAX_TEXT } from "../../routes/model/names.ts";
import { parseRouteFile, type RouteFile } from "../../routes/reading/route-file.ts";
import { KeywayError, UsageError } from "../../shared/errors.ts";
import { readInput, readToken, withFileErrors } from "../../shared/input.ts";
import type { Io } from "../../shared/io.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { warnOfExpired } from "../cli/expired.ts";
import { type Format, toJson, toYaml } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { diffTexts } from "../print/diff.ts";
import { type Baseline, collectAddress, collectBaseline, collectCluster, parseAddress } from "../render/address.ts";
import { accessLogs, envoyConfiguration, REMARKS } from "../render/envoy.ts";
import { into } from "../render/into/into.ts";
import { type Address, guardRoutes, httpFilter, watcher } from "../render/parts.ts";
import { clustersIn, plainConfiguration, wire } from "../render/plain.ts";
import { type Table, tableCluster } from "../render/table.ts";
import { EARLY_EXTENSIONS } from "../render/trace-ids.ts";
import { type Proof, proofFor } from "../twins/headers.ts";

const parts = ["filter", "route", "access-log", "cluster"] as const;

interface Options {
  routes?: string;
  table?: Address[];
  tableScope?: string;
  tableTokenFile?: string;
  module: string;
  watchModule: string;
  listen: Address;
  admin?: Address;
  cluster?: Map<string, Address>;
  baseline?: Baseline[];
  part?: (typeof parts)[number];
  into?: string;
  check?: boolean;
  listener?: string[];
  virtualHost?: string[];
  edge?: boolean;
  served?: boolean;
  cacheable?: boolean;
  output: Exclude<Format, "table">;
}

export const renderEnvoy: Register = (group, io) => {
  const command = defineCommand(group, {
    usage: "envoy",
    description: `Prints the configuration of an Envoy that routes by the route file. A service's name is its cluster's name; where it is written with its port (reviews:9080), that is also its address.

With --into it prints FILE, an Envoy configuration, a listener, or a file of listeners or routes, with Keyway in it: the filter before the router, the watcher among the access loggers, and before each route its twin for selected requests. Comments stay. Run again, it changes what is stale and nothing else. What can't be done is said on stderr, by name.`,
    examples: [
      ["a whole configuration", "keyway render envoy -f routes.yaml --cluster reviews=10.0.0.7:9080 > envoy.yaml"],
      [
        "two baselines",
        "keyway render envoy -f routes.yaml --baseline /ratings=ratings --baseline /=reviews > envoy.yaml",
      ],
      ["Keyway in your own configuration", "keyway render envoy -f routes.yaml --into envoy.yaml > keyway-envoy.yaml"],
      [
        "with a live table",
        "keyway render envoy -f routes.yaml --table routes.example.com:8700 --into envoy.yaml > keyway-envoy.yaml",
      ],
      ["in CI: is it up to date?", "keyway render envoy -f routes.yaml --into keyway-envoy.yaml --check"],
    ],
  })
    .option("-f, --routes <file>", "route file; - reads stdin")
    .option(
      "--table <address>",
      "HOST:PORT of the route server that has the live table; repeated, of others on the same store",
      collectAddress,
    )
    .option(
      "--table-scope <scope>",
      "hold only this part of the live table, such as NAMESPACE/SERVICE (default: all)",
      parseScope,
    )
    .option("--table-token-file <file>", "the token to show the route server, where it asks for one")
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
    .addOption(
      new Option("--into <file>", "an Envoy configuration of your own to put Keyway into; - reads stdin").conflicts([
        ...["listen", "admin", "cluster", "baseline", "part", "output"],
      ]),
    )
    .option("--check", "with --into: print what would change, and exit with 1 if that is anything")
    .option("--listener <name>", "with --into: only this listener; can be repeated", collectName)
    .option("--virtual-host <name>", "with --into: twins only in this virtual host; can be repeated", collectName)
    .option("--edge", "this Envoy faces other people: routed answers stay out of caches and don't name their target")
    .addOption(new Option("--served", "routed answers name their target, in x-keyway-served, at the edge, too"))
    .option("--no-served", "routed answers don't name their target")
    .option("--cacheable", "with --edge: leave cache-control of routed answers as it is")
    .addOption(new Option("-o, --output <format>", "how to print it").choices(["yaml", "json"]).default("yaml"))
    .action(async (options: Options) => {
      const file = await routeFile(options, io);
      const table = await tableFrom(options, io);
      if (options.into !== undefined) return putInto(options.into, { file, table }, options, command, io);
      const data = withFileErrors(options.routes ?? "", () => rendered({ file, table }, options));
      const remarks = options.part === undefined ? REMARKS : [];
      io.out.write(options.output === "json" ? toJson(data) : toYaml(data, remarks));
      if (options.part === "route")
        progress(io).next(
          `put \`request_headers_to_remove: [${HEADER_CLUSTER}]\` into the route configuration around them`,
        );
      if (options.part === "filter" && removesTraces(file.edge))
        progress(io).next(
          `Envoy's tracer reads the ids of traces before the filter does: take ${EARLY_EXTENSIONS} from the whole configuration, or use --into`,
        );
      if (options.part === undefined)
        progress(io).next("`envoy --mode validate -c envoy.yaml` checks it, `envoy -c envoy.yaml` runs it");
    });
};

/** What the filter is to know. */
interface Content {
  file: RouteFile;
  table: Table | undefined;
}

async function routeFile({ routes, table }: Options, io: Io): Promise<RouteFile> {
  if (routes === undefined && table === undefined) {
    const next = "give a route file with -f, or the route server that has them with --table";
    throw new UsageError("which routes?", { next });
  }
  const text = routes === undefined ? "" : await readInput(routes, io);
  const file = withFileErrors(routes ?? "", () => parseRouteFile(text));
  warnOfExpired(routes ?? "", file, io);
  return file;
}

async function tableFrom(options: Options, io: Io): Promise<Table | undefined> {
  const { table: servers, tableScope: scope, tableTokenFile: file } = options;
  if (servers !== undefined) {
    const token = file === undefined ? undefined : await readToken(file, io);
    return { servers, ...(scope !== undefined && { scope }), ...(token !== undefined && { token }) };
  }
  if (scope === undefined && file === undefined && options.part !== "cluster") return undefined;
  throw new UsageError("which live table? --table is missing", { next: "give HOST:PORT of the route server" });
}

function rendered({ file, table }: Content, options: Options): unknown {
  const { listen, admin, module, watchModule: watch, cluster = new Map(), baseline = [], part } = options;
  if (part === "cluster" && table !== undefined) return [tableCluster(table)];
  const configuration = plainConfiguration(file, table);
  if (part === "filter") return [httpFilter({ module, configuration })];
  const proof = proofOf(options, configuration);
  if (part === "route") return guardRoutes(proof);
  if (part === "access-log") return accessLogs({ watch });
  const wiring = wire(file, configuration, { clusters: cluster, baselines: baseline });
  return envoyConfiguration({ configuration, listen, admin, module, watch, table, proof, ...wiring });
}

async function putInto(
  path: string,
  { file, table }: Content,
  options: Options,
  command: Command,
  io: Io,
): Promise<void> {
  const { module, watchModule: watch, listener: listeners = [], virtualHost: virtualHosts = [] } = options;
  const before = await readInput(path, io);
  const configuration = withFileErrors(options.routes ?? "", () => plainConfiguration(file, table));
  const desired = {
    filter: httpFilter({ module, configuration }),
    watcher: watcher({ watch }),
    clusters: [...clustersIn(configuration)],
    tableCluster: table && tableCluster(table),
    removesTraces: removesTraces(configuration.edge),
    modulesGiven: ["module", "watchModule"].some((name) => command.getOptionValueSource(name) === "cli"),
  };
  const { text, remarks } = withFileErrors(path, () =>
    into(before, desired, { listeners, virtualHosts }, { proof: proofOf(options, configuration) }),
  );
  const name = path === "-" ? "standard input" : path;
  for (const { at, message } of remarks) progress(io).warn(`${name}:${at.line}:${at.col}: ${message}`);
  if (!options.check) {
    io.out.write(text);
    return;
  }
  if (text === before) return;
  io.out.write(diffTexts(before, text, name));
  throw new KeywayError(`${name} is not up to date with ${options.routes ?? "this command"}`, {
    next: "the same command without --check prints it as it should be",
  });
}

function proofOf({ edge, served, cacheable }: Options, configuration: Configuration): Proof {
  const usual = proofFor(edge ? "edge" : "inside");
  return {
    served: served ?? usual.served,
    noStore: usual.noStore && !cacheable,
    links: hasLinks(configuration),
  };
}

function parseScope(text: string): string {
  if (Buffer.byteLength(text) > MAX_TEXT) throw new InvalidArgumentError(`longer than ${MAX_TEXT} bytes.`);
  return text;
}

function collectName(name: string, before: readonly string[] = []): string[] {
  return [...before, name];
}
