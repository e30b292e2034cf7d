// Signadot's routes: answers of its routes API, in the camel case of REST and in the snake case that `sdroutes` prints, and the resources
// of its operator.
import { SANDBOX_LABEL } from "../routes/model/sandbox.ts";
import type { Path } from "../routes/reading/diagnostic.ts";
import type { Item } from "./documents.ts";
import { list, maybe, metadata, name, object, port, text } from "./fields.ts";
import { serviceOf } from "./hosts.ts";
import { type Mapping, mapped } from "./mapping.ts";
import type { Report } from "./report.ts";
import { objectOf } from "./report.ts";

const KEYS = "signadot";

const rule = object({
  routingKey: name,
  baseline: object({ kind: name, namespace: name, name }),
  destinationSandbox: object({ name }),
  mappings: maybe(list(object({ workloadPort: port, destinations: maybe(list(object({ host: name, port }))) }))),
});
const rules = object({ routingRules: maybe(list(rule)) });

/** Snake case as camel case, names of objects aside, which are values. */
export function camelCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCased);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([field, inner]) => [
    field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    camelCased(inner),
  ]);
  return Object.fromEntries(entries);
}

/** An answer with rules, a rule for itself, or a step of `sdroutes -watch`. */
export function importRules(report: Report, item: Item, mappings: readonly Mapping[]): void {
  const fields = objectOf(item.value);
  const isSnake =
    "op" in fields || "routing_rules" in fields || /"(?:routing_key|workload_port)"/.test(head(item.value));
  const value = isSnake ? camelCased(item.value) : item.value;
  const { op, route } = objectOf(value);
  if (op === "SYNCED") return;
  if (op === "REMOVE") {
    report.tell("note", item, ["op"], "a rule that was taken away is passed over");
    return;
  }
  const bare = op === undefined && "routingKey" in objectOf(value);
  const list = Array.isArray(value) ? value : bare ? [value] : op === undefined ? undefined : [route];
  const read = report.read(rules, { ...item, value: list ? { routingRules: list } : value });
  const above: Path = Array.isArray(value) || bare ? [] : op === undefined ? ["routingRules"] : ["route"];
  for (const [at, one] of (read?.routingRules ?? []).entries()) {
    addRule(report, item, bare || op !== undefined ? above : [...above, at], one, mappings);
  }
}

/** Enough of a value to tell how its fields are spelled. */
function head(value: unknown): string {
  const rules = Array.isArray(value) ? value : objectOf(value).routingRules;
  return JSON.stringify(Array.isArray(rules) ? (rules[0] ?? null) : (value ?? null));
}

type Rule = (typeof rule)["_output"];

function addRule(report: Report, item: Item, path: Path, rule: Rule, mappings: readonly Mapping[]): void {
  const { routingKey, baseline, destinationSandbox, mappings: ports = [] } = rule;
  const workload = `${baseline.kind} ${baseline.namespace}/${baseline.name}`;
  const own = `${baseline.name}.${baseline.namespace}`;
  const said = mapped(baseline.name, own, mappings);
  const service = typeof said === "string" ? said.replace(/:.*$/, "") : own;
  const seen = new Set<number>();
  for (const [at, { workloadPort, destinations = [] }] of ports.entries()) {
    for (const [index, { host, port }] of destinations.entries()) {
      const place = [...path, "mappings", at, "destinations", index];
      if (seen.has(port)) {
        report.tell(
          "dropped",
          item,
          place,
          `a second destination on port ${port}; Signadot's own clients take the first`,
        );
        continue;
      }
      seen.add(port);
      report.source(KEYS);
      report.add(item, place, {
        service: `${service}:${port}`,
        key: routingKey,
        to: serviceOf(host, baseline.namespace, port),
        workload: workloadOf(baseline, workloadPort),
        labels: { [SANDBOX_LABEL]: destinationSandbox.name },
      });
    }
  }
  if (seen.size === 0) {
    report.tell("dropped", item, path, `the sandbox ${destinationSandbox.name} has no service in place of ${workload}`);
  } else if (said === undefined) {
    report.tell(
      "note",
      item,
      [...path, "baseline"],
      `the service of ${workload} is taken to be ${service}; --map says another`,
    );
  }
}

/** So that clients of Signadot's API find the route where no cluster says whose it is. */
function workloadOf({ kind, namespace, name }: Rule["baseline"], port: number) {
  return { kind, namespace, name, port };
}

const istioRoute = object({
  spec: object({
    routingKey: name,
    managed: object({
      targetService: name,
      namespace: name,
      baseline: maybe(object({ kind: name, namespace: name, name })),
      mappings: list(object({ fromPort: port, toService: name, workloadPort: maybe(port) })),
      middlewares: maybe(list(object({}))),
      sandboxedWorkload: maybe(object({ sandboxName: maybe(text), name: maybe(text) })),
    }),
  }),
});

export function importIstioRoute(report: Report, item: Item): void {
  const value = report.read(istioRoute, item);
  if (value === undefined) return;
  const { routingKey, managed } = value.spec;
  const { targetService, namespace, baseline, mappings, middlewares = [], sandboxedWorkload } = managed;
  const sandbox = sandboxedWorkload?.sandboxName || sandboxedWorkload?.name;
  if (middlewares.length > 0) {
    report.tell("dropped", item, ["spec", "managed", "middlewares"], "Keyway has no middlewares");
  }
  for (const [at, { fromPort, toService, workloadPort }] of mappings.entries()) {
    report.source(KEYS);
    report.add(item, ["spec", "managed", "mappings", at], {
      service: serviceOf(targetService, namespace, fromPort),
      key: routingKey,
      to: serviceOf(toService, namespace, fromPort),
      ...(baseline && workloadPort !== undefined && { workload: workloadOf(baseline, workloadPort) }),
      ...(sandbox && { labels: { [SANDBOX_LABEL]: sandbox } }),
    });
  }
}

const location = object({ host: name, port });
const routingConfig = object({
  metadata,
  status: maybe(
    object({
      routeServer: maybe(
        object({ routes: maybe(list(object({ from: location, to: location, sandboxName: maybe(text) }))) }),
      ),
    }),
  ),
});

/** It has no field for its key: its own name is taken for it. */
export function importRoutingConfig(report: Report, item: Item): void {
  const value = report.read(routingConfig, item);
  if (value === undefined) return;
  const key = value.metadata.name;
  const routes = value.status?.routeServer?.routes ?? [];
  for (const [at, { from, to, sandboxName }] of routes.entries()) {
    report.source(KEYS);
    report.add(item, ["status", "routeServer", "routes", at], {
      service: serviceOf(from.host, undefined, from.port),
      key,
      to: serviceOf(to.host, undefined, to.port),
      ...(sandboxName && { labels: { [SANDBOX_LABEL]: sandboxName } }),
    });
  }
  const what = routes.length > 0 ? `its name, ${key}, is taken for the routing key` : "it has no routes yet";
  report.tell("note", item, ["metadata", "name"], what);
}
