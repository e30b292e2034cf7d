// The custom resources that Keyway brings.

import { OWNER_ANNOTATION, ROUTE_KIND } from "../../routes/model/route-resource.ts";
import {
  ageColumn,
  baseline,
  column,
  conditionColumn,
  conditioned,
  definition,
  expires,
  key,
  listOf,
  missing,
  object,
  proxiesColumn,
  target,
  text,
  told,
  when,
} from "./crd-parts.ts";
import { sandboxDefinition } from "./sandbox-crd.ts";

const share = object(
  { to: target, weight: { type: "number", minimum: 0, maximum: 100, description: "Percent of the requests." } },
  "A target and its share.",
  ["to", "weight"],
);

const spec = object(
  {
    service: baseline,
    key: key("The routing key that a request must carry."),
    when,
    to: target,
    split: listOf(share, "Shares in percent, at most 100 together; the rest stays at the baseline.", { minItems: 1 }),
    sticky: text("The source whose value fixes the choice of a split, as in cookie:session."),
    expires: expires("RFC 3339; past it proxies ignore the route, and the route server deletes it."),
    missing,
    workload: object(
      {
        kind: text("Deployment, StatefulSet or ArgoRollout.", { maxLength: 63 }),
        namespace: text("The workload's namespace.", { maxLength: 63 }),
        name: text("The workload's name.", { maxLength: 253 }),
        port: { type: "integer", minimum: 1, maximum: 65535, description: "Where its containers listen." },
      },
      "The baseline's workload, for clients of Signadot's routes API, where the cluster doesn't say it.",
      ["kind", "namespace", "name", "port"],
    ),
  },
  "An entry of a route file: a service, one of key, when and split, and where the requests go.",
  ["service"],
  // CEL knows no fields without a type, so these rules are said in the schema's own words.
  {
    allOf: [
      { oneOf: [{ required: ["to"] }, { required: ["split"] }] },
      { anyOf: [{ required: ["key"] }, { required: ["when"] }, { required: ["split"] }] },
      { not: { required: ["key", "split"] } },
    ],
  },
);

/** The CustomResourceDefinition of Route. */
export function routeDefinition() {
  return definition({
    kind: ROUTE_KIND,
    plural: "routes",
    shortName: "kwr",
    description:
      "A route of the live table of Keyway: from a baseline, for a key, a condition or a share of the requests, to a target.",
    spec,
    status: object(
      {
        ...conditioned,
        revision: told("integer", "The revision of the table with which the route became what it is."),
      },
      "What became of it; written by Keyway's controller.",
    ),
    columns: [
      column("Key", ".spec.key"),
      column("Service", ".spec.service"),
      column("To", ".spec.to"),
      conditionColumn("Accepted"),
      conditionColumn("Resolved"),
      conditionColumn("InForce"),
      proxiesColumn,
      column("Expires", ".spec.expires", { priority: 1 }),
      column("Resolved-Message", '.status.conditions[?(@.type=="Resolved")].message', { priority: 1 }),
      column("Owner", `.metadata.annotations.${OWNER_ANNOTATION.replaceAll(".", "\\.")}`, { priority: 1 }),
      ageColumn,
    ],
  });
}

/** All of them, in the order in which they are applied. */
export function customResources() {
  return [routeDefinition(), sandboxDefinition()];
}
