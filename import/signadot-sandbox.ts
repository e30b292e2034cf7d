// Sandboxes and route groups as Signadot's CLI writes and reads them: they become Sandboxes to finish by hand.

import { ROUTE_API } from "../routes/model/route-resource.ts";
import type { Path } from "../routes/reading/diagnostic.ts";
import { slugOf } from "../shared/short-name.ts";
import type { Item } from "./documents.ts";
import { list, map, maybe, name, object, text } from "./fields.ts";
import type { Report } from "./report.ts";

const workload = object({ kind: name, namespace: name, name });
const labels = maybe(map(text));

const fork = object({
  forkOf: workload,
  customizations: maybe(
    object({
      images: maybe(list(object({ image: name, container: maybe(text) }))),
      env: maybe(list(object({ name, value: maybe(text), container: maybe(text), operation: maybe(text) }))),
    }),
  ),
});

const sandbox = object({
  name,
  routingKey: maybe(name),
  spec: object({
    labels,
    ttl: maybe(object({ duration: text, offsetFrom: maybe(text) })),
    forks: maybe(list(fork)),
    local: maybe(list(object({ from: maybe(workload) }))),
  }),
});

const labelMatch = object({ label: object({ key: name, value: name }) });
const group = object({
  name,
  routingKey: maybe(name),
  spec: object({
    match: object({ label: maybe(labelMatch.shape.label), all: maybe(list(labelMatch)), any: maybe(list(labelMatch)) }),
    ttl: maybe(object({ duration: text })),
  }),
});

type Fork = (typeof fork)["_output"];
const READ = ["labels", "ttl", "forks", "cluster", "description"];
/** Signadot's words for kinds, where they are others than Kubernetes'. */
const KINDS: Readonly<Record<string, string>> = { ArgoRollout: "Rollout" };

export function importSandbox(report: Report, item: Item): void {
  const value = report.read(sandbox, item);
  if (value === undefined) return;
  const { spec } = value;
  for (const field of Object.keys(spec).filter(
    (one) => !READ.includes(one) && spec[one as keyof typeof spec] != null,
  )) {
    report.tell("dropped", item, ["spec", field], DROPPED[field] ?? "a Sandbox of Keyway has nothing like it");
  }
  const forks = spec.forks ?? [];
  const home = forks[0]?.forkOf.namespace;
  const copies = forks.flatMap((one, at) => {
    const path: Path = ["spec", "forks", at];
    if (one.forkOf.namespace === home) return [forkEntry(report, item, path, one)];
    report.tell("dropped", item, path, `a Sandbox forks workloads of its own namespace, ${home}`);
    return [];
  });
  addSandbox(report, item, value, {
    ...(home !== undefined && { namespace: home }),
    ...(spec.labels && { labels: spec.labels }),
    spec: { ...ttlOf(report, item, spec.ttl), ...(copies.length > 0 && { forks: copies }) },
  });
}

const DROPPED: Readonly<Record<string, string>> = {
  local: "Keyway has no tunnel to a laptop; a route leads to a service of the cluster",
  virtual: "a Sandbox routes to services; write them as `routes`",
  middleware: "Keyway has no middlewares",
  resources: "Keyway makes no resources",
};

export function importRouteGroup(report: Report, item: Item): void {
  const value = report.read(group, item);
  if (value === undefined) return;
  const { match, ttl } = value.spec;
  const wanted = [...(match.label ? [match.label] : []), ...(match.all ?? []).map(({ label }) => label)];
  const path: Path = ["spec", "match"];
  if (match.any !== undefined) report.tell("dropped", item, [...path, "any"], "include wants all of its labels");
  const exact = wanted.filter(({ key, value }) => {
    if (!/[*?[\]{}]/.test(value)) return true;
    report.tell("dropped", item, path, `include compares labels exactly, and ${key} is a pattern: ${value}`);
    return false;
  });
  if (exact.length === 0) {
    report.tell("dropped", item, path, "without a label there is nothing to include");
    return;
  }
  const matchLabels = Object.fromEntries(exact.map(({ key, value }) => [key, value]));
  if (value.spec.endpoints != null) report.tell("dropped", item, ["spec", "endpoints"], "Keyway makes no endpoints");
  addSandbox(report, item, value, { spec: { ...ttlOf(report, item, ttl), include: { matchLabels } } });
}

interface Skeleton {
  namespace?: string;
  labels?: Record<string, string>;
  spec: object;
}

function addSandbox(
  report: Report,
  item: Item,
  { name, routingKey }: { name: string; routingKey?: string | undefined },
  { namespace, labels, spec }: Skeleton,
): void {
  const meta = { name: slugOf(name), ...(namespace && { namespace }), ...(labels && { labels }) };
  const key = routingKey === undefined ? {} : { key: routingKey };
  report.source("signadot");
  report.objects.push({ apiVersion: ROUTE_API, kind: "Sandbox", metadata: meta, spec: { ...key, ...spec } } as never);
  const unknown = routingKey === undefined ? "; Signadot's key of it isn't in here, so its name is the key" : "";
  report.tell("note", item, [], `it becomes a Sandbox to look over and apply${unknown}`);
}

function forkEntry(report: Report, item: Item, path: Path, { forkOf, customizations }: Fork) {
  const kind = KINDS[forkOf.kind] ?? forkOf.kind;
  const containers = new Map<string, { name: string; image?: string; env?: { name: string; value: string }[] }>();
  const containerOf = (named: string | undefined, at: Path) => {
    const name = named || forkOf.name;
    if (!named) report.tell("note", item, at, `it names no container; it is taken to be ${name}`);
    const known = containers.get(name) ?? { name };
    containers.set(name, known);
    return known;
  };
  for (const [at, { image, container }] of (customizations?.images ?? []).entries()) {
    containerOf(container, [...path, "customizations", "images", at]).image = image;
  }
  for (const [at, { name, value, container, operation }] of (customizations?.env ?? []).entries()) {
    const place = [...path, "customizations", "env", at];
    if (operation === "delete" || value === undefined) {
      report.tell("dropped", item, place, "a fork sets variables to values, and nothing else");
      continue;
    }
    const own = containerOf(container, place);
    own.env = [...(own.env ?? []), { name, value }];
  }
  for (const field of Object.keys(customizations ?? {}).filter((one) => !["images", "env"].includes(one))) {
    report.tell("dropped", item, [...path, "customizations", field], "a fork of Keyway has nothing like it");
  }
  return { workload: `${kind}/${forkOf.name}`, ...(containers.size > 0 && { containers: [...containers.values()] }) };
}

function ttlOf(report: Report, item: Item, ttl: { duration: string; offsetFrom?: string | undefined } | undefined) {
  if (ttl === undefined) return {};
  if (ttl.offsetFrom !== undefined && ttl.offsetFrom !== "createdAt") {
    report.tell(
      "narrowed",
      item,
      ["spec", "ttl", "offsetFrom"],
      `the time counts from its creation, not from ${ttl.offsetFrom}`,
    );
  }
  return { ttl: ttl.duration };
}

export const isSandboxText = (spec: Record<string, unknown>) =>
  ["forks", "local", "virtual", "cluster", "resources"].some((field) => field in spec);
