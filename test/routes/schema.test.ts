import { expect, test } from "vitest";
import { pluginJsonSchema, routeFileJsonSchema } from "../../routes/index.ts";

/** The places of all fields in a JSON Schema that nobody described. */
function undescribed(schema: unknown, at: string): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  if (Array.isArray(schema)) return schema.flatMap((one, index) => undescribed(one, `${at}[${index}]`));
  const fields = "properties" in schema ? Object.entries(schema.properties as object) : [];
  const bare = fields.filter(([, field]) => typeof field.description !== "string" || field.description === "");
  const inner = Object.entries(schema).flatMap(([key, value]) => undescribed(value, `${at}/${key}`));
  return [...bare.map(([name]) => `${at}: ${name}`), ...inner];
}

test.each([
  ["plugin configuration", pluginJsonSchema()],
  ["route file", routeFileJsonSchema()],
])("every field of the %s is described", (_, schema) => {
  expect(schema.title).toBeTypeOf("string");
  expect(undescribed(schema, "")).toEqual([]);
});

test("the fields, their types and their limits are told", () => {
  const { properties, additionalProperties } = pluginJsonSchema() as Record<
    string,
    Record<string, Record<string, unknown>>
  >;
  expect(additionalProperties).toBe(false);
  expect(Object.keys(properties ?? {})).toEqual([
    "keys",
    "routes",
    "hierarchy",
    "trace",
    "link",
    "emit",
    "edge",
    "explain",
    "strict",
    "hopMark",
    "table",
  ]);
  expect(properties?.hopMark?.enum).toEqual(["filter", "route"]);
  const route = properties?.routes?.items as { required: string[]; properties: Record<string, object> };
  expect(route.required).toEqual(["from"]);
  expect(route.properties.key).toMatchObject({ type: "string", minLength: 1, maxLength: 256 });
  expect(route.properties.missing).toMatchObject({ enum: ["fail", "baseline"] });
  expect(route.properties.split).toMatchObject({
    type: "array",
    maxItems: 100,
    items: { required: ["to", "weight"], properties: { weight: { type: "number", minimum: 0, maximum: 100 } } },
  });
  expect(route.properties.when).toMatchObject({
    items: { properties: { request: { enum: ["path", "method", "host", "caller"] }, not: { type: "boolean" } } },
  });
});
