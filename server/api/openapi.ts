import type { OpenAPIHono } from "@hono/zod-openapi";
import { VERSION } from "../../installer/package.ts";
import type { Env } from "./context.ts";

type Document = ReturnType<OpenAPIHono<Env>["getOpenAPI31Document"]>;

/** The OpenAPI document of what was registered. */
export function describe(app: OpenAPIHono<Env>): Document {
  app.openAPIRegistry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
    description: "A token of the server's tokens file. A server that only its own machine can reach needs none.",
  });
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Keyway's route server",
      version: VERSION,
      description: "The live route table: read it, change it, follow it.",
      license: { name: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
  });
}
