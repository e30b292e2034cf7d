import { z } from "zod";
import { toYaml } from "../../installer/cli/output.ts";
import { DECIDED } from "../../installer/cli/server-flags.ts";
import { deployment } from "../../installer/manifests/server/deployment.ts";
import { DEFAULT_REPLICAS } from "../../installer/manifests/server/server.ts";
import { ROLES } from "../../server/auth/authenticator.ts";
import { SETTINGS } from "../../server/settings.ts";

/** What the chart's users may say, and what they read. */
export function fileEntries(): Record<string, string> {
  return { "values.yaml": values(), "values.schema.json": schema(), "templates/NOTES.txt": NOTES };
}

function values(): string {
  const choice = { namespace: "-", image: "-", replicas: DEFAULT_REPLICAS, anonymous: [], arguments: [] };
  const resources = deployment(choice).spec?.template.spec?.containers[0]?.resources;
  const entries: [about: string, value: object][] = [
    ["The image that the Dockerfile builds, in a registry that the nodes reach. Required.", { image: "" }],
    ["A secret in the namespace, for a registry that asks who you are.", { imagePullSecret: "" }],
    ["Servers that share the work.", { replicas: DEFAULT_REPLICAS }],
    ["What requests without a token may do: read, write, proxy.", { anonymous: ["proxy"] }],
    [
      "Further settings of `keyway serve`, as logLevel: debug, or signadotGrpc: 0.0.0.0:7777. With overrides: NAMESPACE,NAMESPACE come the rights in these.",
      { settings: {} },
    ],
    [
      "Whether the custom resources come with this release. Another server of the cluster may bring them.",
      { definitions: true },
    ],
    ["What each server asks of its node, and may take.", { resources }],
  ];
  return entries.map(([about, value]) => `# ${about}\n${toYaml(value)}`).join("\n");
}

/** Helm refuses values that are none by it, before anything is applied. A list would not become a flag, so settings have one value each. */
function schema(): string {
  const settings = Object.entries(SETTINGS)
    .filter(([name]) => !DECIDED.includes(name))
    .map(([name, { description, schema }]) => [
      name,
      { description, ...single(z.toJSONSchema(schema, { io: "input" })) },
    ]);
  const values = {
    $schema: "http://json-schema.org/draft-07/schema#",
    type: "object",
    additionalProperties: false,
    properties: {
      image: { type: "string" },
      imagePullSecret: { type: "string" },
      replicas: { type: "integer", minimum: 1, maximum: 99 },
      anonymous: { type: "array", items: { enum: ROLES } },
      settings: { type: "object", additionalProperties: false, properties: Object.fromEntries(settings) },
      definitions: { type: "boolean" },
      resources: { type: "object" },
      // Of a chart that this one is a part of.
      global: {},
    },
  };
  return `${JSON.stringify(values, null, 2)}\n`;
}

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** The form of one value: without lists, and without the address of its own dialect. */
function single({ $schema: _, ...form }: JsonSchema): JsonSchema {
  if (form.anyOf === undefined) return form;
  return { ...form, anyOf: form.anyOf.filter(({ type }) => type !== "array") };
}

const NOTES = `The route server is at keyway.{{ .Release.Namespace }}:8700.

Proxies follow it:   keyway install --server keyway.{{ .Release.Namespace }} ...
A preview:           keyway sandbox create pr-42 --fork Deployment/reviews --image IMAGE
What a preview is:   kubectl explain sandboxes.keyway.dev
`;
