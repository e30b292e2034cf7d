import { expect, test } from "vitest";
import { z } from "zod";
import { customResources, routeDefinition } from "../../installer/manifests/crds.ts";
import { sandboxDefinition } from "../../installer/manifests/sandbox-crd.ts";
import { serviceRoute } from "../../routes/reading/live-route.ts";
import { routeStatus, sandboxSpec, sandboxStatus } from "../../routes/reading/sandbox.ts";

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  enum?: unknown[];
  required?: string[];
  description?: string;
}

/** The names of the fields at each place, and the words of each choice. */
function fieldsOf(schema: Schema, place: string): [string, unknown[]][] {
  const names = Object.keys(schema.properties ?? {}).sort();
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, one]) => fieldsOf(one, `${place}.${name}`));
  return [
    ...(names.length > 0 ? [[place, names] as [string, unknown[]]] : []),
    ...(schema.enum ? [[place, schema.enum] as [string, unknown[]]] : []),
    ...(schema.items ? fieldsOf(schema.items, `${place}[]`) : []),
    ...below,
  ].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Without what is in references, which the resource leaves open. */
function closed({ properties = {}, ...schema }: Schema): Schema {
  const entries = Object.entries(properties).map(([name, one]) => {
    return [name, name === "service" || name === "to" ? {} : closed(one)];
  });
  return { ...schema, properties: Object.fromEntries(entries), ...(schema.items && { items: closed(schema.items) }) };
}

const schemaOf = (schema: z.ZodType) =>
  z.toJSONSchema(schema, { io: "input", unrepresentable: "any", reused: "inline" }) as Schema;

function inResource(definition: ReturnType<typeof routeDefinition>, part: "spec" | "status"): Schema {
  return definition.spec.versions[0]?.schema.openAPIV3Schema.properties[part] as Schema;
}

test("a Route has the fields of a route file's entry, as the API server drops those that it does not know", () => {
  // The resource's metadata has these.
  const managed = ["id", "owner", "labels", "ttl", "revision"];
  const own = Object.entries(schemaOf(serviceRoute).properties ?? {}).filter(([name]) => !managed.includes(name));
  const expected = fieldsOf(closed({ properties: Object.fromEntries(own) }), "spec");
  expect(fieldsOf(inResource(routeDefinition(), "spec"), "spec")).toEqual(expected);
});

test.each([
  ["the spec of a Sandbox", sandboxSpec, inResource(sandboxDefinition(), "spec")],
  ["the status of a Sandbox", sandboxStatus, inResource(sandboxDefinition(), "status")],
  ["the status of a Route", routeStatus, inResource(routeDefinition(), "status")],
])("%s has the fields that the server reads and the controller writes", (_, schema, inCluster) => {
  expect(fieldsOf(inCluster, "")).toEqual(fieldsOf(closed(schemaOf(schema)), ""));
  expect(requiredIn(inCluster, "")).toEqual(requiredIn(closed(schemaOf(schema)), ""));
});

/** The fields that must be there, at each place. */
function requiredIn({ required = [], properties = {}, items }: Schema, place: string): string[] {
  const names = required.map((name) => `${place}.${name}`);
  const below = Object.entries(properties).flatMap(([name, one]) => requiredIn(one, `${place}.${name}`));
  return [...names, ...below, ...(items ? requiredIn(items, `${place}[]`) : [])].sort();
}

test("kubectl explain has something to say of every field", () => {
  const silent = customResources().flatMap((definition) =>
    (["spec", "status"] as const).flatMap((part) =>
      undescribed(inResource(definition, part), `${definition.spec.names.kind}.${part}`),
    ),
  );
  expect(silent).toEqual([]);
});

function undescribed({ description, properties = {}, items }: Schema, place: string): string[] {
  const below = Object.entries(properties).flatMap(([name, one]) => undescribed(one, `${place}.${name}`));
  const inList = items?.properties ? undescribed(items, `${place}[]`) : [];
  return [...(description ? [] : [place]), ...below, ...inList];
}

test("the columns of kubectl get show fields that are there", () => {
  const missing = customResources().flatMap((definition) =>
    (definition.spec.versions[0]?.additionalPrinterColumns ?? []).flatMap((one) => {
      const { jsonPath } = one as { jsonPath: string };
      const [, part, ...path] = jsonPath.replace(/\[.*?\]/, "[]").split(".");
      if (part === "metadata") return [];
      const found = path.reduce<Schema | undefined>(
        (at, name) => (name.endsWith("[]") ? at?.properties?.[name.slice(0, -2)]?.items : at?.properties?.[name]),
        inResource(definition, part as "spec" | "status"),
      );
      return found === undefined ? [jsonPath] : [];
    }),
  );
  expect(missing).toEqual([]);
});
