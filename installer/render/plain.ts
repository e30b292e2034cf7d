import { compileRoutes } from "../../routes/compiling/compile.ts";
import { namedServices } from "../../routes/compiling/named-services.ts";
import type { Configuration } from "../../routes/model/model.ts";
import { ANY_BASELINE } from "../../routes/model/names.ts";
import { targetsOf } from "../../routes/model/targets.ts";
import type { RouteFile } from "../../routes/reading/route-file.ts";
import { UsageError } from "../../shared/errors.ts";
import type { Baseline } from "./address.ts";
import type { Address } from "./parts.ts";
import { liveTable, type Table } from "./table.ts";

export interface Given {
  clusters: ReadonlyMap<string, Address>;
  baselines: readonly Baseline[];
}

/** The plugin's configuration where services are called as their clusters are, and where routes add the hop mark. */
export function plainConfiguration(file: RouteFile, table?: Table): Configuration {
  const { configuration } = compileRoutes(file, { mode: "plain", namespace: "", domain: "", services: [] });
  return { ...configuration, hopMark: "route", ...(table && { table: liveTable(table) }) };
}

/** Every cluster that a route names, baselines and targets. */
export function clustersIn({ routes }: Configuration): Set<string> {
  const names = new Set(routes.flatMap((route) => [route.from, ...targetsOf(route)]));
  names.delete(ANY_BASELINE);
  return names;
}

/** What a plain Envoy needs to know beside the routes: which path goes to which baseline, and where every cluster is. */
export function wire(file: RouteFile, configuration: Configuration, given: Given): Given {
  const baselines = given.baselines.length > 0 ? given.baselines : [onlyBaseline(configuration)];
  const names = new Set([...baselines.map(({ cluster }) => cluster), ...clustersIn(configuration)]);

  const known = new Map([...addressesIn(file), ...given.clusters]);
  // A live table's routes may name any cluster that there is.
  if (configuration.table) for (const name of given.clusters.keys()) names.add(name);
  const lost = [...names].filter((name) => !known.has(name));
  if (lost.length > 0) {
    throw new UsageError(`nobody says where ${lost.join(", ")} ${lost.length === 1 ? "is" : "are"}`, {
      next: `add ${lost.map((name) => `--cluster ${name}=HOST:PORT`).join(" ")}, or write ports into the route file`,
    });
  }
  return { baselines, clusters: new Map([...known].filter(([name]) => names.has(name))) };
}

/** A service that is written with its port is found by its name. */
function addressesIn(file: RouteFile): [string, Address][] {
  return namedServices(file).flatMap(({ text, port }) => {
    const host = text.replace(/:.*/, "");
    return typeof port === "number" ? [[host, { host, port }]] : [];
  });
}

function onlyBaseline({ routes }: Configuration): Baseline {
  const names = new Set(routes.map(({ from }) => from));
  names.delete(ANY_BASELINE);
  const [only] = names;
  if (only !== undefined && names.size === 1) return { prefix: "/", cluster: only };
  const paths = [...names].map((name) => `--baseline /${name}=${name}`).join(" ") || "--baseline CLUSTER";
  throw new UsageError("which path goes to which baseline?", { next: `say it, most special first: ${paths}` });
}
