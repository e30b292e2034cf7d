// Makes the filter's decision here, from a file.
import { baselineCluster, compileRoutes } from "../../routes/compiling/compile.ts";
import type { Mode, Surroundings } from "../../routes/compiling/resolve.ts";
import { type Explanation, explain } from "../../routes/deciding/explain.ts";
import type { Pairs } from "../../routes/deciding/scan.ts";
import type { Configuration } from "../../routes/model/model.ts";
import { ANY_BASELINE } from "../../routes/model/names.ts";
import { isConfiguration, parseConfiguration } from "../../routes/reading/configuration.ts";
import { parseRouteFile } from "../../routes/reading/route-file.ts";
import { readYaml } from "../../routes/reading/yaml.ts";
import { UsageError } from "../../shared/errors.ts";
import { readInput, withFileErrors } from "../../shared/input.ts";
import type { Io } from "../../shared/io.ts";
import { servicesFor } from "../../shared/services/services.ts";
import { verifySignature } from "../keys/verify.ts";
import { servicesNamedIn } from "../render/listed.ts";

export interface OfflineQuestion {
  /** The path of a route file or of a plugin configuration. */
  routes: string;
  headers: Pairs;
  /** The baseline: a cluster's name as the routes have it, or a service's. */
  from?: string;
  mode: Mode;
  namespace: string;
  missing?: string[];
  /** Seconds since 1970. */
  at?: number;
  caller?: string;
}

export async function explainOffline(question: OfflineQuestion, io: Io): Promise<Explanation> {
  const { configuration, clusterOf, services } = await read(await readInput(question.routes, io), question);
  return explain(configuration, {
    headers: question.headers,
    cluster: clusterOf(question.from ?? onlyBaseline(configuration)),
    now: question.at ?? Math.floor(Date.now() / 1000),
    missing: new Set(question.missing),
    caller: question.caller,
    services,
    verify: verifySignature,
  });
}

interface Read {
  configuration: Configuration;
  clusterOf(baseline: string): string;
  /** The full names of the baselines. */
  services: string[];
}

async function read(text: string, { routes: path, mode, namespace }: OfflineQuestion): Promise<Read> {
  const { value, locate } = withFileErrors(path, () => readYaml(text));
  if (isConfiguration(value)) {
    return {
      configuration: withFileErrors(path, () => parseConfiguration(value, locate)),
      clusterOf: (name) => name,
      services: [],
    };
  }
  const file = withFileErrors(path, () => parseRouteFile(text));
  const services = await servicesFor(servicesNamedIn(file, namespace), file, namespace);
  const surroundings: Surroundings = { mode, namespace, domain: "cluster.local", services };
  const { configuration, uses } = withFileErrors(path, () => compileRoutes(file, surroundings));
  const baselines = uses.flatMap(({ role, service }) => (role === "baseline" && service ? [service] : []));
  return {
    configuration,
    clusterOf: (name) => clusterIn(name, configuration, surroundings),
    services: baselines.map((one) => `${one.name}.${one.namespace}.svc.${surroundings.domain}`),
  };
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
