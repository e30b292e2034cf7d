// VirtualServices of Istio, those that mt-inside/overrides makes among them.
import type { z } from "zod";
import type { Reference, Share } from "../routes/model/model.ts";
import type { Path } from "../routes/reading/diagnostic.ts";
import type { Item } from "./documents.ts";
import { flag, list, map, maybe, metadata, name, number, object, port, text } from "./fields.ts";
import { isHost, serviceOf } from "./hosts.ts";
import { addOrdered, type Rule } from "./ordered.ts";
import type { Report } from "./report.ts";
import { percents } from "./shares.ts";
import { demandsOf, LEFT, type MatchEntry, MESH, POLICY, stringMatch } from "./virtual-service-match.ts";

const texts = map(stringMatch);
const match = object({
  headers: maybe(texts),
  queryParams: maybe(texts),
  withoutHeaders: maybe(texts),
  uri: maybe(stringMatch),
  method: maybe(stringMatch),
  scheme: maybe(stringMatch),
  authority: maybe(stringMatch),
  ignoreUriCase: maybe(flag),
  port: maybe(port),
  gateways: maybe(list(text)),
});

const destination = object({
  host: name,
  subset: maybe(name),
  port: maybe(object({ number: maybe(port) })),
});

const rule = object({
  match: maybe(list(match)),
  route: maybe(list(object({ destination, weight: maybe(number.min(0, "expected a weight")) }))),
});

const schema = object({
  metadata,
  spec: object({
    hosts: list(name),
    gateways: maybe(list(text)),
    exportTo: maybe(list(text)),
    http: maybe(list(rule)),
    tls: maybe(list(object({}))),
    tcp: maybe(list(object({}))),
  }),
});

type VirtualService = z.output<typeof schema>;
type HttpRule = z.output<typeof rule>;

/** Reads all VirtualServices of an input: of several for one host Istio uses the oldest. */
export function importVirtualServices(report: Report, items: readonly Item[], keyHeaders: ReadonlyMap<string, string>) {
  const read = items.flatMap((item) => {
    const value = report.read(schema, item);
    return value ? [{ item, value }] : [];
  });
  const byAge = read.sort((a, b) => ageOf(a.value).localeCompare(ageOf(b.value)));
  const seen = new Map<string, string>();
  for (const { item, value } of byAge) {
    const services = servicesOf(report, item, value);
    for (const { service, path } of services) {
      const own = `${value.metadata.namespace ?? ""}/${value.metadata.name}`;
      const other = seen.get(service);
      if (other !== undefined)
        report.tell("dropped", item, path, `${other} is older, and Istio uses that for this host`);
      else {
        seen.set(service, `VirtualService ${own}`);
        importFor(report, item, value, service, services.length > 1, keyHeaders);
      }
    }
  }
}

/** The place in Istio's order; those without a date come last, in the order of the input. */
const ageOf = ({ metadata: { creationTimestamp } }: VirtualService) => creationTimestamp ?? "~";

function servicesOf(report: Report, item: Item, { spec, metadata: { namespace } }: VirtualService) {
  const { gateways, exportTo, tls = [], tcp = [] } = spec;
  if (tls.length > 0) report.tell("dropped", item, ["spec", "tls"], "Keyway routes HTTP alone");
  if (tcp.length > 0) report.tell("dropped", item, ["spec", "tcp"], "Keyway routes HTTP alone");
  if (gateways !== undefined && gateways.length > 0) {
    const others = gateways.filter((gateway) => gateway !== MESH).join(", ");
    if (others !== "") {
      const what = gateways.includes(MESH) ? "narrowed" : "dropped";
      report.tell(
        what,
        item,
        ["spec", "gateways"],
        `what holds at ${others} is left out: a gateway has routes of its own`,
      );
    }
    if (!gateways.includes(MESH)) return [];
  }
  if (exportTo !== undefined && !exportTo.includes("*") && exportTo.length > 0) {
    report.tell("widened", item, ["spec", "exportTo"], `it was for callers in ${exportTo.join(", ")} alone`);
  }
  return spec.hosts.flatMap((host, at) => {
    const path: Path = ["spec", "hosts", at];
    if (isHost(host)) return [{ service: serviceOf(host, namespace), path }];
    report.tell("dropped", item, path, `a route is from one service, and ${host} stands for several`);
    return [];
  });
}

function importFor(
  report: Report,
  item: Item,
  { spec, metadata: { name, namespace } }: VirtualService,
  service: string,
  isOneOfSeveral: boolean,
  keyHeaders: ReadonlyMap<string, string>,
): void {
  const rules = (spec.http ?? []).flatMap((one, at): Rule[] => {
    const path: Path = ["spec", "http", at];
    const to = targetOf(report, item, one, path, namespace);
    if (to === undefined) return [];
    const isBaseline = to === service;
    return matchesOf(one, path).flatMap((entry) => {
      const demands = demandsOf(report, item, entry, { service, keyHeaders });
      return demands.map((own) => ({ ...own, to, isBaseline }));
    });
  });
  const parts = ["vs", ...(namespace ? [namespace] : []), name, ...(isOneOfSeveral ? [service] : [])];
  const path: Path = ["spec", "http"];
  addOrdered(report, { item, service, name: parts.join("-"), rules, otherwise: "was answered with 404", path });
}

interface Entry {
  match: MatchEntry;
  path: Path;
}

function matchesOf({ match: matches = [] }: HttpRule, path: Path): Entry[] {
  if (matches.length === 0) return [{ match: {}, path }];
  return matches.map((one, at) => ({ match: one, path: [...path, "match", at] }));
}

const READ = ["name", "match", "route"];
/** A rule with one of these leads to no service. */
const NO_TARGET = ["redirect", "directResponse", "delegate"];

/** Where a rule leads to; undefined where that can't be carried over, which is told then. */
function targetOf(report: Report, item: Item, rule: HttpRule, path: Path, namespace: string | undefined) {
  const other = NO_TARGET.find((field) => rule[field as keyof HttpRule] != null);
  if (other !== undefined) {
    report.tell("dropped", item, [...path, other], `a route leads to a service; ${LEFT}`);
    return undefined;
  }
  const { route = [] } = rule;
  for (const field of Object.keys(rule).filter((one) => !READ.includes(one) && rule[one] != null)) {
    report.tell("dropped", item, [...path, field], POLICY);
  }
  for (const [at, one] of route.entries()) {
    if (one.headers != null) report.tell("dropped", item, [...path, "route", at, "headers"], POLICY);
  }
  const shares = route.map(({ destination: { host, subset, port }, weight }) => {
    const to = serviceOf(host, namespace, port?.number);
    return { to: subset === undefined ? to : { service: to, subset }, weight: weight ?? 0 };
  });
  if (shares.length === 0) {
    report.mistake(item, path, "it has neither a route nor anything else to do");
    return undefined;
  }
  const weighted: Share<Reference>[] | undefined = percents(shares);
  if (weighted === undefined) {
    report.mistake(item, [...path, "route"], "all of its weights are 0");
    return undefined;
  }
  const [only] = weighted;
  return weighted.length === 1 && only !== undefined ? only.to : weighted;
}
