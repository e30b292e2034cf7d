// The routes that the rules of a namespace stand for.
import { type PlacedRule, translateRules } from "../../../import/amalgam8.ts";
import type { Item } from "../../../import/documents.ts";
import type { Mapping } from "../../../import/mapping.ts";
import { type Finding, Report } from "../../../import/report.ts";
import { inOrder, type LiveRoute } from "../../../routes/model/live-route.ts";
import { qualified } from "../../../routes/model/qualify.ts";
import { formatPath } from "../../../routes/reading/diagnostic.ts";
import { shortName, slugOf } from "../../../shared/short-name.ts";
import { flagOf } from "../../settings.ts";
import type { StoredRule } from "./rulebook.ts";

/** On every route that was made of rules: their namespace. */
export const LABEL = "keyway.dev/amalgam8";
/** Of the ids of all routes that are made of rules. */
export const ID_PREFIX = "a8.";
/** Services of other namespaces are those of the Kubernetes namespace of that name. */
export const DEFAULT_NAMESPACE = "default";

export interface Told {
  rule: StoredRule;
  /** `route.backends[0].tags`, from the rule on. */
  place: string;
  what: Finding["kind"];
  message: string;
}

export interface Translation {
  routes: LiveRoute[];
  /** What keeps a rule from being carried over. */
  refusals: Told[];
  /** What is not as it was, and does no harm. */
  findings: Told[];
}

export interface TranslationSettings {
  namespace: string;
  mappings: readonly Mapping[];
  isThere: (service: string, tags: readonly string[]) => boolean;
}

export function translate(
  rules: readonly StoredRule[],
  { namespace, mappings, isThere }: TranslationSettings,
): Translation {
  const report = new Report();
  const byItem = new Map<Item, StoredRule>();
  const placed = rules.map((stored): PlacedRule => {
    const item: Item = { file: "", value: stored.rule, path: [], locate: () => undefined };
    byItem.set(item, stored);
    return { item, path: [], rule: stored.rule, isNew: !stored.isOld };
  });
  translateRules(report, placed, {
    mappings,
    isThere,
    mapFlag: flagOf("amalgam8Map"),
    aftermath: "",
    // A value that decides is a condition here like any other: so a rule goes before another by its priority alone.
    keyHeaders: new Map(),
    idOf: (service, number) => `${ID_PREFIX}${partOf(namespace)}.${partOf(service)}.${number}`,
  });
  const told = ({ item, path, message }: Omit<Finding, "kind">, what: Finding["kind"]): Told => {
    return { rule: byItem.get(item) as StoredRule, place: formatPath(path), what, message };
  };
  const isRefusal = ({ kind, stands }: Finding) => kind === "dropped" && !stands;
  return {
    routes: report.routes.map(({ route }) => ownRoute(route, namespace)),
    refusals: [
      ...report.mistakes.map((one) => told(one, "dropped")),
      ...report.findings.filter(isRefusal).map((one) => told(one, "dropped")),
    ],
    findings: report.findings.filter((one) => one.kind !== "note" && !isRefusal(one)).map((one) => told(one, one.kind)),
  };
}

function ownRoute(route: LiveRoute, namespace: string): LiveRoute {
  const own = { ...route, owner: `Amalgam8 ${namespace}`, labels: { [LABEL]: namespace } };
  return inOrder(namespace === DEFAULT_NAMESPACE ? own : qualified(own, namespace));
}

/** A part of an id, another one for another text. */
function partOf(text: string): string {
  return slugOf(text) === text ? text : shortName(text, text);
}
