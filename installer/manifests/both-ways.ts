// What to do where a memory of traces stands on one way of a workload alone.
import {
  describeScope,
  type Installation,
  isNamespaceWide,
  remembersTraces,
  tableOf,
  type Way,
  waysOf,
} from "./installation.ts";
import { DEFAULT_NAME } from "./names.ts";

/** The remedy for a workload that has these installations and lacks a memory on the way `lacking`, with the line that does it. */
export function remedyFor(lacking: Way, installations: readonly Installation[]): string {
  const there = installations.find((one) => waysOf(one.mode).includes(lacking));
  if (there !== undefined && !remembersTraces(there)) {
    return `add \`trace\` to the keys in the route file of ${nameOf(there)}, which is there for it: \`keyway upgrade ${placeOf(there)} -f routes.yaml\``;
  }
  const [one] = installations.filter(remembersTraces) as [Installation];
  const routes = hasNoRoutesOfItsOwn(one) ? "" : " -f routes.yaml";
  const file = routes === "" ? "" : ", with its route file";
  return `make ${nameOf(one)} one for both ways${file}: \`keyway install ${placeOf(one)}${selectorOf(one)} --mode both${routes}\``;
}

const nameOf = ({ namespace, name }: Installation) => `${namespace}/${name}`;

function placeOf({ namespace, name }: Installation): string {
  return `-n ${namespace}${name === DEFAULT_NAME ? "" : ` --name ${name}`}`;
}

function selectorOf({ scope }: Installation): string {
  return isNamespaceWide(scope) ? "" : ` -l ${describeScope(scope)}`;
}

/** The clusters of routes are named by the way; those of a live table, which has them all then, name themselves anew. */
function hasNoRoutesOfItsOwn(installation: Installation): boolean {
  const { routes } = installation.config;
  return tableOf(installation) !== undefined && !(Array.isArray(routes) && routes.length > 0);
}
