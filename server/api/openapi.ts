import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { VERSION } from "../../shared/package.ts";
import type { Env } from "./context.ts";
import { NAMED } from "./schemas.ts";

type Paths = NonNullable<Document["paths"]>;
type Schemas = NonNullable<NonNullable<Document["components"]>["schemas"]>;
type Document = ReturnType<OpenAPIHono<Env>["getOpenAPI31Document"]>;

/** The OpenAPI document of what was registered. */
export function describe(app: OpenAPIHono<Env>): Document {
  app.openAPIRegistry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
    description: "A token of the server's tokens file. A server that only its own machine can reach needs none.",
  });
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Keyway's route server",
      version: VERSION,
      description: "The live route table: read it, change it, follow it.",
      license: { name: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
  });
  return {
    ...document,
    components: { ...document.components, schemas: schemas() },
    paths: withOptional(document.paths ?? {}),
  };
}

/** The named schemas as zod itself writes them: the generator of the document takes fields that may be left out for required ones. */
function schemas(): Schemas {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) registry.add(schema, { id });
  const { schemas: all } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}`, io: "input" });
  return Object.fromEntries(
    Object.entries(all).map(([id, { $id: _, $schema: __, id: ___, ...schema }]) => [id, schema]),
  ) as Schemas;
}

/** No parameter but those of the path is needed. */
function withOptional(paths: Paths): Paths {
  for (const operations of Object.values(paths)) {
    for (const { parameters = [] } of Object.values(operations) as {
      parameters?: { in: string; required?: boolean }[];
    }[]) {
      for (const parameter of parameters) if (parameter.in !== "path") parameter.required = false;
    }
  }
  return paths;
}
