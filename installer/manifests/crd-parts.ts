// What the schemas of the custom resources have in common. Structural schemas describe every field, as `kubectl explain` shows it.
import { MISSING, REQUEST_PARTS } from "../../routes/model/model.ts";
import { MAX_CONDITIONS, MAX_KEY, MAX_TEXT } from "../../routes/model/names.ts";
import { GROUP, VERSION } from "../../routes/model/route-resource.ts";
import { CONDITION_TYPES } from "../../routes/model/status.ts";

export const text = (description: string, more: object = {}) => ({
  type: "string",
  minLength: 1,
  description,
  ...more,
});

/** A field of a status: nobody else writes it, so nothing is checked. */
export const told = (type: "string" | "integer" | "boolean", description: string) => ({ type, description });

export const object = (properties: object, description: string, required: string[] = [], more: object = {}) => ({
  type: "object",
  description,
  ...(required.length > 0 && { required }),
  properties,
  ...more,
});

export const listOf = (items: object, description: string, more: object = {}) => ({
  type: "array",
  description,
  items,
  ...more,
});

/** A list whose items are told apart by a field of theirs, so that several managers may each apply their own. */
export const listBy = (field: string, items: object, description: string, more: object = {}) =>
  listOf(items, description, { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [field], ...more });

/** A rule in CEL, and what a person reads where it does not hold. */
export const rules = (...all: [rule: string, message: string][]) => ({
  "x-kubernetes-validations": all.map(([rule, message]) => ({ rule, message })),
});

/** CEL: exactly one of these fields is there. */
function one(...fields: string[]): string {
  return `[${fields.map((field) => `has(self.${field})`).join(", ")}].filter(there, there).size() == 1`;
}

// A service is a text or an object, for which structural schemas have no word; the status says more of it.
export const reference = (description: string) => ({ "x-kubernetes-preserve-unknown-fields": true, description });

export const key = (description: string) =>
  text(description, {
    maxLength: MAX_KEY,
    ...rules([
      "self.matches(r'^[\\x21-\\x2b\\x2d-\\x3a\\x3c-\\x7e]+$')",
      "a key is printable ASCII without space, comma and semicolon",
    ]),
  });

export const baseline = reference(
  "The baseline: NAME[.NAMESPACE][:PORT], {service, subset}, {cluster: NAME}, or * for any. " +
    "Without a namespace it is a service of this resource's own; without a port it is meant on each that it has.",
);

export const target = reference(
  "The target: NAME[.NAMESPACE][:PORT], {service, subset} or {cluster: NAME}. " +
    "Namespace and port are the baseline's unless said.",
);

export const missing = {
  type: "string",
  enum: [...MISSING],
  description:
    "What happens where the target is missing or has no healthy pod: baseline (the default) sends the request there, " +
    "fail answers it with 424.",
};

export const expires = (description: string) => text(description, { format: "date-time" });

const operand = (description: string) => ({ type: "string", maxLength: MAX_TEXT, description });
const name = (what: string) => text(`The name of the ${what} that is compared.`);

export const when = listOf(
  object(
    {
      header: name("header"),
      cookie: name("cookie"),
      query: name("query parameter"),
      request: {
        type: "string",
        enum: [...REQUEST_PARTS],
        description:
          "The part of the request that is compared; path is without the query, caller the peer's SPIFFE id as mutual TLS proved it.",
      },
      exact: operand("One of the values is this text."),
      prefix: operand("One of the values begins with this text."),
      suffix: operand("One of the values ends with this text."),
      contains: operand("One of the values contains this text."),
      present: { type: "boolean", description: "True: there is a value, whatever it is. False: there is none." },
      not: { type: "boolean", description: "True turns the condition round." },
    },
    "One of header, cookie, query and request, and one of exact, prefix, suffix, contains and present.",
    [],
    rules(
      [one("header", "cookie", "query", "request"), "exactly one of header, cookie, query and request"],
      [
        one("exact", "prefix", "suffix", "contains", "present"),
        "exactly one of exact, prefix, suffix, contains and present",
      ],
    ),
  ),
  "Conditions that must all hold for a request to take the route.",
  { minItems: 1, maxItems: MAX_CONDITIONS },
);

/** The fields that the statuses of all kinds have. */
export const conditioned = {
  observedGeneration: told("integer", "The generation of the spec that the status is about."),
  proxies: object(
    {
      total: told("integer", "The proxies that may route for it."),
      inForce: told("integer", "Those of them that have it as it is."),
      summary: told("string", "Both numbers, as in 12/12."),
    },
    "How far the proxies are.",
    ["total", "inForce", "summary"],
  ),
  conditions: listBy(
    "type",
    object(
      {
        type: { type: "string", enum: [...CONDITION_TYPES], description: "What is said." },
        status: { type: "string", enum: ["True", "False", "Unknown"], description: "Whether it holds." },
        reason: told("string", "Why, in one word."),
        message: told("string", "Why, and what to do."),
        observedGeneration: told("integer", "The generation of the spec that this is about."),
        lastTransitionTime: { type: "string", format: "date-time", description: "When the status became what it is." },
      },
      "Something that holds, or does not.",
      ["type", "status", "reason", "message", "lastTransitionTime"],
    ),
    "Accepted: what is asked for can be done. Resolved: every service, port and target that it takes is there. " +
      "InForce: the proxies have it as it is.",
  ),
};

export const column = (name: string, jsonPath: string, more: object = {}) => ({
  name,
  type: "string",
  jsonPath,
  ...more,
});

/** The column of a condition. */
export const conditionColumn = (type: (typeof CONDITION_TYPES)[number]) =>
  column(type, `.status.conditions[?(@.type=="${type}")].status`);

export const proxiesColumn = column("Proxies", ".status.proxies.summary");
export const ageColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };

interface Kind {
  kind: string;
  plural: string;
  shortName: string;
  description: string;
  spec: object;
  status: object;
  columns: object[];
  /** Rules about the whole, such as about its name. */
  whole?: object;
}

/** The CustomResourceDefinition of a kind. */
export function definition({ kind, plural, shortName, description, spec, status, columns, whole }: Kind) {
  const identity = { type: "string" };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: "Namespaced",
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
        categories: ["keyway"],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: "object",
              description,
              required: ["spec"],
              properties: { apiVersion: identity, kind: identity, metadata: { type: "object" }, spec, status },
              ...whole,
            },
          },
          additionalPrinterColumns: columns,
        },
      ],
    },
  };
}
