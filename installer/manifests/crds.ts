// The custom resources that Keyway brings.

import { MISSING, REQUEST_PARTS } from "../../routes/model/model.ts";
import { MAX_CONDITIONS, MAX_KEY, MAX_TEXT } from "../../routes/model/names.ts";
import { GROUP, OWNER_ANNOTATION, ROUTE_KIND, VERSION } from "../../routes/model/route-resource.ts";

const text = (description: string, more: object = {}) => ({ type: "string", minLength: 1, description, ...more });
const operand = { type: "string", maxLength: MAX_TEXT };
const flag = { type: "boolean" };

const when = {
  type: "array",
  minItems: 1,
  maxItems: MAX_CONDITIONS,
  description: "Conditions that must all hold.",
  items: {
    type: "object",
    properties: {
      ...Object.fromEntries(["header", "cookie", "query"].map((name) => [name, text("The name of what is compared.")])),
      request: { type: "string", enum: [...REQUEST_PARTS], description: "A part of the request." },
      ...Object.fromEntries(["exact", "prefix", "suffix", "contains"].map((name) => [name, operand])),
      present: flag,
      not: { ...flag, description: "Turns the condition round." },
    },
    "x-kubernetes-validations": [
      {
        rule: one("header", "cookie", "query", "request"),
        message: "exactly one of header, cookie, query and request",
      },
      {
        rule: one("exact", "prefix", "suffix", "contains", "present"),
        message: "exactly one of exact, prefix, suffix, contains and present",
      },
    ],
  },
};

/** CEL: exactly one of these fields is there. */
function one(...fields: string[]): string {
  return `[${fields.map((field) => `has(self.${field})`).join(", ")}].filter(there, there).size() == 1`;
}

// A service is a text or an object, for which structural schemas have no word; the server says more of it in its log.
const reference = (description: string) => ({ "x-kubernetes-preserve-unknown-fields": true, description });

const spec = {
  type: "object",
  required: ["service"],
  properties: {
    service: reference("The baseline: NAME[.NAMESPACE][:PORT], {service, subset}, {cluster: NAME}, or * for any."),
    key: text("The routing key.", { maxLength: MAX_KEY, pattern: "^[!-~]+$" }),
    when,
    to: reference("The target: NAME[.NAMESPACE][:PORT], {service, subset} or {cluster: NAME}."),
    split: {
      type: "array",
      minItems: 1,
      description: "Shares in percent, at most 100 together; the rest stays at the baseline.",
      items: {
        type: "object",
        required: ["to", "weight"],
        properties: { to: reference("The target."), weight: { type: "number", minimum: 0, maximum: 100 } },
      },
    },
    sticky: text("The source whose value fixes the choice."),
    expires: text("RFC 3339; past it proxies ignore the route, and the route server deletes it.", {
      format: "date-time",
    }),
    missing: { type: "string", enum: [...MISSING], description: "What happens where the target is missing." },
    workload: {
      type: "object",
      required: ["kind", "namespace", "name", "port"],
      description: "The baseline's workload, for clients of Signadot's routes API, where the cluster doesn't say it.",
      properties: {
        kind: text("Deployment, StatefulSet or ArgoRollout.", { maxLength: 63 }),
        namespace: text("The workload's namespace.", { maxLength: 63 }),
        name: text("The workload's name.", { maxLength: 253 }),
        port: { type: "integer", minimum: 1, maximum: 65535, description: "Where its containers listen." },
      },
    },
  },
  // CEL knows no fields without a type, so these rules are said in the schema's own words.
  allOf: [
    { oneOf: [{ required: ["to"] }, { required: ["split"] }] },
    { anyOf: [{ required: ["key"] }, { required: ["when"] }, { required: ["split"] }] },
    { not: { required: ["key", "split"] } },
  ],
};

const column = (name: string, jsonPath: string, more: object = {}) => ({ name, type: "string", jsonPath, ...more });

/** The CustomResourceDefinition of Route. */
export function routeDefinition() {
  const names = { kind: ROUTE_KIND, listKind: "RouteList", plural: "routes", singular: "route", shortNames: ["kwr"] };
  const openAPIV3Schema = {
    type: "object",
    description:
      "A route of the live table of Keyway: from a baseline, for a key, a condition or a share of the requests, to a target.",
    required: ["spec"],
    properties: { apiVersion: { type: "string" }, kind: { type: "string" }, metadata: { type: "object" }, spec },
  };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `routes.${GROUP}` },
    spec: {
      group: GROUP,
      scope: "Namespaced",
      names,
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          schema: { openAPIV3Schema },
          additionalPrinterColumns: [
            column("Key", ".spec.key"),
            column("Service", ".spec.service"),
            column("To", ".spec.to"),
            column("Expires", ".spec.expires"),
            column("Owner", `.metadata.annotations.${OWNER_ANNOTATION.replaceAll(".", "\\.")}`, { priority: 1 }),
          ],
        },
      ],
    },
  };
}
