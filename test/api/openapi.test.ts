// The document and the running server say the same, whatever is asked within what is documented, or a little beside it.
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { checkAsync } from "../property.ts";
import { reviews, sent, startServer } from "./serve.ts";

interface Schema {
  type?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  items?: Schema;
  prefixItems?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  minimum?: number;
  maximum?: number;
  additionalProperties?: boolean | Schema;
  $ref?: string;
  examples?: unknown[];
}
interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  schema: Schema;
  required?: boolean;
}
interface Operation {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** Texts that some field may hold; each fits somewhere and nowhere else. */
const TEXTS = [
  "reviews",
  "reviews:9080",
  "ratings.shop:http",
  "pr-42",
  "a/b",
  "*",
  "2h",
  "cookie:session",
  "2090-01-01T00:00:00Z",
  "GET",
  "/",
  "x-routing-key",
  "a b",
  "\0",
  "ä",
  "12",
];

/** Values of a schema. Its formats are not in it, so that some of them are refused. */
function valuesOf(schema: Schema, { components }: Document, depth = 0): fc.Arbitrary<unknown> {
  const of = (inner: Schema) => valuesOf(inner, { components } as Document, depth + 1);
  if (schema.$ref) return of(components.schemas[schema.$ref.replace("#/components/schemas/", "")] as Schema);
  if (schema.examples) {
    const { examples, ...rest } = schema;
    return fc.oneof(fc.constantFrom(...examples), of(rest));
  }
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(of));
  switch (schema.type) {
    case "string":
      return fc.oneof(
        { arbitrary: fc.constantFrom(...TEXTS), weight: 9 },
        { arbitrary: fc.string({ maxLength: 20 }), weight: 1 },
      );
    case "integer":
    case "number":
      return fc.integer({ min: schema.minimum ?? -5, max: Math.min(schema.maximum ?? 100, 2000) });
    case "boolean":
      return fc.boolean();
    case "array":
      if (schema.prefixItems) return fc.tuple(...schema.prefixItems.map(of));
      return fc.array(of(schema.items ?? {}), { maxLength: depth > 3 ? 1 : 3 });
    case "object": {
      const fields = Object.entries(schema.properties ?? {});
      const inner = Object.fromEntries(fields.map(([name, field]) => [name, of(field)]));
      return fc.record(inner, { requiredKeys: schema.required ?? [] });
    }
    default:
      return fc.jsonValue();
  }
}

/** Requests of an operation; one in ten has a body of another kind. */
function requestsOf(path: string, method: string, operation: Operation, document: Document) {
  const parameters = (operation.parameters ?? []).map((parameter) => {
    const value =
      parameter.name === "id"
        ? fc.constantFrom("a", "b", "a/b", "a//b", "a b", "c:d")
        : valuesOf(parameter.schema, document);
    return fc.tuple(
      fc.constant(parameter),
      parameter.in === "path" ? value : fc.option(value, { freq: parameter.in === "header" ? 1 : 3 }),
    );
  });
  const schema = operation.requestBody?.content["application/json"]?.schema;
  const body =
    schema && fc.oneof({ arbitrary: valuesOf(schema, document), weight: 9 }, { arbitrary: fc.jsonValue(), weight: 1 });
  return fc.record({ given: fc.tuple(...parameters), body: body ?? fc.constant(undefined) }).map(({ given, body }) => {
    const query = new URLSearchParams();
    const headers: Record<string, string> = {};
    let target = path;
    for (const [{ name, in: where }, value] of given as [Parameter, unknown][]) {
      if (value === null) continue;
      if (where === "path") target = target.replace(`{${name}}`, encodeURIComponent(String(value)));
      else if (where === "query") for (const one of [value].flat()) query.append(name, String(one));
      else headers[name] = `"${String(value).replace(/[^\x21\x23-\x7e]/g, "")}"`;
    }
    return { target: `${target}${query.size > 0 ? `?${query}` : ""}`, init: sent(method.toUpperCase(), body, headers) };
  });
}

test("every answer to what the document describes is one that the document describes", async () => {
  const { url, ask } = await startServer();
  const document: Document = (await ask("/openapi.json")).body;
  expect(document.openapi).toBe("3.1.0");
  const validators = new Map<Schema, z.ZodType>();
  const validatorOf = (schema: Schema): z.ZodType => {
    const text = JSON.stringify({ ...schema, $defs: document.components.schemas }).replaceAll(
      "#/components/schemas/",
      "#/$defs/",
    );
    const validator = validators.get(schema) ?? z.fromJSONSchema(JSON.parse(text));
    validators.set(schema, validator);
    return validator;
  };
  await ask("/v1/routes/a", sent("PUT", reviews));
  const statuses = new Map<string, Set<number>>();
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const seen = new Set<number>();
      statuses.set(operation.operationId, seen);
      // A watch from a revision that is not there yet waits a second for it.
      const isPlain = !operation.parameters && !operation.requestBody;
      const runs = isPlain ? 2 : path === "/v1/watch" ? 8 : 60;
      await checkAsync(
        [requestsOf(path, method, operation, document)],
        async ({ target, init }) => {
          const stop = new AbortController();
          const response = await fetch(`${url}${target}`, { ...init, signal: stop.signal });
          seen.add(response.status);
          const described = operation.responses[response.status];
          expect(described, `${response.status} is not described`).toBeDefined();
          const type = response.headers.get("content-type")?.split(";")[0];
          const content = described?.content?.[type ?? ""];
          if (described?.content) expect(content, `${type} is not described for ${response.status}`).toBeDefined();
          if (type === "text/event-stream") stop.abort();
          else {
            const text = await response.text();
            if (!described?.content) expect(text).toBe("");
            if (type !== "application/json") return;
            expect(() => validatorOf(content?.schema ?? {}).parse(JSON.parse(text))).not.toThrow();
          }
        },
        runs,
      );
    }
  }
  const seenOf = (operation: string) => [...(statuses.get(operation) ?? [])].sort();
  // What is generated gets far enough to mean something.
  expect(seenOf("putRoute")).toEqual(expect.arrayContaining([200, 201, 400]));
  expect(seenOf("applyRoutes")).toEqual(expect.arrayContaining([200, 400]));
  expect(seenOf("explainRequest")).toEqual(expect.arrayContaining([200, 400]));
  expect(seenOf("listRoutes")).toEqual(expect.arrayContaining([200, 400]));
});

test("the document describes every path of the contract", async () => {
  const { ask } = await startServer();
  const { paths }: Document = (await ask("/openapi.json")).body;
  const operations = Object.entries(paths).flatMap(([path, all]) =>
    Object.keys(all).map((method) => `${method} ${path}`),
  );
  expect(operations.sort()).toEqual([
    "delete /v1/routes/{id}",
    "get /healthz",
    "get /metrics",
    "get /openapi.json",
    "get /readyz",
    "get /v1/proxies",
    "get /v1/routes",
    "get /v1/routes/{id}",
    "get /v1/table",
    "get /v1/watch",
    "post /v1/explain",
    "post /v1/routes/{id}:renew",
    "post /v1/routes:apply",
    "put /v1/routes/{id}",
  ]);
});
