import { InvalidArgumentError, Option } from "commander";
import { baselineCluster, compileRoutes } from "../../routes/compiling/compile.ts";
import { MODES, type Mode, type Surroundings } from "../../routes/compiling/resolve.ts";
import { explain } from "../../routes/deciding/explain.ts";
import type { Pairs } from "../../routes/deciding/scan.ts";
import { parseDate } from "../../routes/model/date.ts";
import type { Configuration } from "../../routes/model/model.ts";
import { ANY_BASELINE } from "../../routes/model/names.ts";
import { isConfiguration, parseConfiguration } from "../../routes/reading/configuration.ts";
import { parseRouteFile } from "../../routes/reading/route-file.ts";
import { readYaml } from "../../routes/reading/yaml.ts";
import { type Register, teach } from "../cli/command.ts";
import { UsageError } from "../cli/errors.ts";
import { readInput, reading } from "../cli/input.ts";
import { emit, type Format, outputOption } from "../cli/output.ts";
import { collectHeader, parseRequestLine } from "../cli/request.ts";
import { servicesFor } from "../lifecycle/services.ts";
import { servicesNamedIn } from "../render/listed.ts";

interface Options {
  routes: string;
  header?: Pairs;
  from?: string;
  mode: Mode;
  namespace: string;
  missing?: string[];
  at?: number;
  output: Format;
}

export const routeExplain: Register = (group, io) => {
  teach(group, {
    usage: "explain <request>",
    about:
      "Makes the filter's decision here, from a route file or a plugin configuration, and prints it in the words in which " +
      "a proxy answers `x-keyway-explain: 1`. Asks no proxy; whether a target lives is for --missing to say.",
    examples: [
      ["by a header", 'keyway route explain -f routes.yaml -H "x-routing-key: pr-42" /reviews/1'],
      [
        "by a host, to one of several baselines",
        "keyway route explain -f routes.yaml --from reviews https://pr-42.preview.example.com/",
      ],
      [
        "will it still go there next month?",
        'keyway route explain -f routes.yaml --at 2030-01-31T12:00:00Z -H "cookie: user=alice" "POST /cart"',
      ],
      [
        "what an installed plugin would do",
        "kubectl get wasmplugin keyway -o jsonpath={.spec.pluginConfig} | keyway route explain -f - /",
      ],
    ],
  })
    .requiredOption("-f, --routes <file>", "route file, or a plugin configuration; - reads stdin")
    .option("-H, --header <name: value>", "a header of the request; can be repeated", collectHeader)
    .option("--from <baseline>", "where the request would go without Keyway (default: the only baseline there is)")
    .addOption(
      new Option("--mode <mode>", "whose names to use for the services of a route file")
        .choices(MODES)
        .default("plain"),
    )
    .option("-n, --namespace <name>", "namespace of services that are named without one", "default")
    .option(
      "--missing <cluster>",
      "a target without a healthy host; can be repeated",
      (name, before: string[] = []) => [...before, name],
    )
    .option("--at <date>", "decide as at this time (default: now)", parseTime)
    .addOption(outputOption())
    .action(async (line: string, options: Options) => {
      const headers = [...requestLine(line), ...(options.header ?? [])];
      const text = await readInput(options.routes, io);
      const { configuration, clusterOf } = await read(text, options);
      const cluster = clusterOf(options.from ?? onlyBaseline(configuration));
      const now = options.at ?? Math.floor(Date.now() / 1000);
      const explanation = explain(configuration, { headers, cluster, now, missing: new Set(options.missing) });
      emit(io, options.output, explanation, () =>
        Object.entries(explanation)
          .map(([name, value]) => `${name.padEnd(8)} ${value ?? "-"}\n`)
          .join(""),
      );
    });
};

interface Read {
  configuration: Configuration;
  clusterOf(baseline: string): string;
}

async function read(text: string, { routes: path, mode, namespace }: Options): Promise<Read> {
  const { value, locate } = reading(path, () => readYaml(text));
  if (isConfiguration(value)) {
    return { configuration: reading(path, () => parseConfiguration(value, locate)), clusterOf: (name) => name };
  }
  const file = reading(path, () => parseRouteFile(text));
  const services = await servicesFor(servicesNamedIn(file, namespace), file, namespace);
  const surroundings: Surroundings = { mode, namespace, domain: "cluster.local", services };
  const { configuration } = reading(path, () => compileRoutes(file, surroundings));
  return { configuration, clusterOf: (name) => clusterIn(name, configuration, surroundings) };
}

/** A cluster's name as the routes have it, or a service's. */
function clusterIn(name: string, { routes }: Configuration, surroundings: Surroundings): string {
  if (routes.some(({ from }) => from === name)) return name;
  const cluster = baselineCluster(name, surroundings);
  if (cluster instanceof Error) throw new UsageError(`--from ${name}: ${cluster.message}`);
  return cluster;
}

function onlyBaseline({ routes }: Configuration): string {
  const names = new Set(routes.map(({ from }) => from));
  names.delete(ANY_BASELINE);
  const [only] = names;
  if (only !== undefined && names.size === 1) return only;
  throw new UsageError("from which baseline?", { next: `add --from ${[...names].join(" or --from ") || "CLUSTER"}` });
}

function requestLine(text: string): Pairs {
  const headers = parseRequestLine(text);
  if (headers) return headers;
  throw new UsageError(`"${text}" is no request`, { next: 'write it like /path, "POST /path" or https://host/path' });
}

function parseTime(text: string): number {
  const time = parseDate(text);
  if (time === undefined) throw new InvalidArgumentError("expected a date like 2030-01-31T12:00:00Z.");
  return time;
}
