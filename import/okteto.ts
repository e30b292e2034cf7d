// Okteto's Diverts, and VirtualServices that its istio driver has diverted.
import type { Path } from "../routes/reading/diagnostic.ts";
import type { Item } from "./documents.ts";
import { list, map, maybe, metadata, name, object, text } from "./fields.ts";
import { serviceOf } from "./hosts.ts";
import type { Report } from "./report.ts";

const KEYS = "okteto";

const divert = object({ metadata, spec: object({ sharedNamespace: name, service: name, divertKey: name }) });

export function importDivert(report: Report, item: Item): void {
  const value = report.read(divert, item);
  if (value === undefined) return;
  const { sharedNamespace, service, divertKey } = value.spec;
  const { namespace } = value.metadata;
  if (namespace === undefined) {
    report.mistake(item, ["metadata"], "it has no namespace, and that is where the requests go");
    return;
  }
  report.source(KEYS);
  report.add(item, ["spec"], {
    service: serviceOf(service, sharedNamespace),
    key: divertKey,
    to: serviceOf(service, namespace),
  });
}

const DIVERTED = /^divert\.okteto\.com\/[0-9a-f]{40}$/;
const annotation = object({ namespace: name, routes: maybe(list(text)) });
const diverted = object({
  metadata: object({ name, namespace: maybe(name), annotations: map(maybe(text)) }),
  spec: object({
    http: maybe(
      list(object({ name: maybe(text), route: maybe(list(object({ destination: object({ host: name }) }))) })),
    ),
  }),
});

/** Whether Okteto has diverted routes of this VirtualService. */
export function isDiverted({ value }: Item): boolean {
  const { metadata } = (value ?? {}) as { metadata?: { annotations?: unknown } };
  const annotations = metadata?.annotations;
  return (
    typeof annotations === "object" &&
    annotations !== null &&
    Object.keys(annotations).some((one) => DIVERTED.test(one))
  );
}

/** The routes that the annotations name lead to the services of the developers' namespaces; a namespace is the key. */
export function importDiverted(report: Report, item: Item): void {
  const value = report.read(diverted, item);
  if (value === undefined) return;
  for (const [field, json] of Object.entries(value.metadata.annotations)) {
    if (!DIVERTED.test(field)) continue;
    const path: Path = ["metadata", "annotations", field];
    const read = annotation.safeParse(parsed(json ?? ""));
    if (!read.success) {
      report.mistake(item, path, 'expected {"namespace": NAME, "routes": [NAME…]}');
      continue;
    }
    const { namespace, routes = [] } = read.data;
    const hosts = (value.spec.http ?? [])
      .filter(({ name = "" }) => routes.length === 0 || routes.includes(name))
      .flatMap(({ route = [] }) => route.map(({ destination }) => destination.host));
    for (const host of new Set(hosts)) {
      const service = serviceOf(host, value.metadata.namespace);
      report.source(KEYS);
      report.add(item, path, { service, key: namespace, to: `${service.split(".")[0]}.${namespace}` });
    }
    if (routes.length > 0)
      report.tell("widened", item, path, `requests that take other routes than ${routes.join(", ")} go there, too`);
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** A manifest names routes of VirtualServices, and neither the key nor the services. */
export function importManifest(report: Report, item: Item): void {
  const path: Path = ["deploy", "divert"];
  report.tell(
    "dropped",
    item,
    path,
    "it names routes and no services: import the Diverts or the VirtualServices that `okteto deploy` leaves in the cluster",
  );
}
