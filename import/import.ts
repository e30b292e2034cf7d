// What the tools of other systems give out, as routes of Keyway.
import { printable } from "../shared/errors.ts";
import { importAmalgam8 } from "./amalgam8.ts";
import { importPods, isBridgePod } from "./bridge.ts";
import type { Item } from "./documents.ts";
import { importHttpRoutes } from "./http-route.ts";
import { importResource } from "./keyway.ts";
import { type Kind, kindOf, SYSTEMS, type System } from "./kinds.ts";
import type { Mapping } from "./mapping.ts";
import { importDivert, importDiverted, importManifest, isDiverted } from "./okteto.ts";
import { keyHeaders } from "./patterns.ts";
import { Report } from "./report.ts";
import { importIstioRoute, importRoutingConfig, importRules } from "./signadot.ts";
import { importRouteGroup, importSandbox } from "./signadot-sandbox.ts";
import { importVirtualServices } from "./virtual-service.ts";

export interface ImportOptions {
  /** The system that all of it is of; found out for each document unless said. */
  from?: System;
  /** Sources of keys beside the usual ones: what a rule compares there is a key. */
  keys?: readonly string[];
  mappings?: readonly Mapping[];
}

/** Headers that are known to carry nothing but keys. */
const USUAL_KEYS = ["header:x-routing-key", "bridge", "telepresence"];

/** Throws a KeywayError with the places of all mistakes: what is of no known kind, or not as its kind has to be. */
export function importItems(items: readonly Item[], options: ImportOptions = {}): Report {
  const report = new Report();
  const kinds = Map.groupBy(items, (item) => kindIn(report, item, options.from));
  const all = (kind: Kind): Item[] => kinds.get(kind) ?? [];
  const { mappings = [] } = options;
  const headers = keyHeaders([...(options.keys ?? []), ...USUAL_KEYS]);

  for (const item of all("signadot rules")) importRules(report, item, mappings);
  for (const item of all("IstioRoute")) importIstioRoute(report, item);
  for (const item of all("RoutingConfig")) importRoutingConfig(report, item);
  for (const item of all("signadot sandbox")) importSandbox(report, item);
  for (const item of all("signadot group")) importRouteGroup(report, item);
  for (const item of all("Divert")) importDivert(report, item);
  for (const item of all("okteto manifest")) importManifest(report, item);
  const services = all("VirtualService");
  const useOkteto = (item: Item) => options.from === "okteto" || (options.from === undefined && isDiverted(item));
  for (const item of services.filter(useOkteto)) importDiverted(report, item);
  importVirtualServices(
    report,
    services.filter((item) => !useOkteto(item)),
    headers,
  );
  importHttpRoutes(report, all("HTTPRoute"), headers);
  if (all("amalgam8 rules").length > 0)
    importAmalgam8(report, all("amalgam8 rules"), { mappings, keyHeaders: headers });
  const [pods = [], others = []] = [all("Pod").filter(isBridgePod), all("Pod").filter((item) => !isBridgePod(item))];
  if (pods.length > 0) importPods(report, pods, all("Service"), headers);
  for (const item of all("Route")) importResource(report, item);

  tellOthers(report, [...others, ...(pods.length > 0 ? [] : all("Service"))], "it has nothing to do with routes");
  tellOthers(report, all("DestinationRule"), "it stays as it is, and routes lead to its subsets");
  tellOthers(report, all("other"), "it is of none of the kinds that are read");
  const [first] = all("other");
  if (first && all("other").length === items.length) report.mistake(first, [], "nothing in here can be imported");
  report.refuseMistakes();
  return report;
}

function kindIn(report: Report, item: Item, from: System | undefined): Kind {
  const kind = kindOf(item.value, from);
  if (kind !== undefined) return kind;
  const what = from === undefined ? "none of the kinds that are read" : `nothing of ${SYSTEMS[from]}`;
  report.mistake(item, [], `this is ${what}: ${outline(item.value)}`);
  return "nothing";
}

/** The fields of a value, for a person to recognize it by. */
function outline(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value !== "object" || value === null) return `a value: ${printable(JSON.stringify(value) ?? "")}`;
  const fields = Object.keys(value);
  return fields.length === 0 ? "it has no fields" : `it has the fields ${printable(fields.slice(0, 5).join(", "))}`;
}

/** One finding for all items of a kind. */
function tellOthers(report: Report, items: readonly Item[], what: string): void {
  const [first] = items;
  if (first === undefined) return;
  const more = items.length > 1 ? `, and so are ${items.length - 1} more like it` : "";
  report.tell("note", first, [], `passed over${more}: ${what}`);
}
