import { expect, test } from "vitest";
import { z } from "zod";
import { routeDefinition } from "../../installer/manifests/crds.ts";
import { serviceRoute } from "../../routes/reading/live-route.ts";

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  enum?: unknown[];
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

test("the resource has the fields of a route file's entry, as the API server drops those that it does not know", () => {
  const ours = z.toJSONSchema(serviceRoute, { io: "input", unrepresentable: "any", reused: "inline" }) as Schema;
  // The resource's metadata has these.
  const managed = ["id", "owner", "labels", "ttl", "revision"];
  const own = Object.entries(ours.properties ?? {}).filter(([name]) => !managed.includes(name));
  const expected = fieldsOf(closed({ properties: Object.fromEntries(own) }), "spec");
  const { spec } = routeDefinition().spec.versions[0]?.schema.openAPIV3Schema.properties ?? {};
  expect(fieldsOf(spec as Schema, "spec")).toEqual(expected);
});
