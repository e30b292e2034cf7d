import type { RouteConfig } from "@hono/zod-openapi";
import type { z } from "zod";
import type { Role } from "../auth/authenticator.ts";
import type { Api, Request } from "./context.ts";
import { CODES, type ErrorStatus, PROBLEM } from "./errors.ts";
import { ErrorAnswer, Problem } from "./schemas.ts";

/** One operation of the API: what OpenAPI says of it, and what it does. */
export interface Endpoint {
  /** As OpenAPI has it: `/v1/routes/{id}`. */
  path: string;
  method: "get" | "put" | "post" | "delete";
  /** Who may; undefined for everybody. */
  role: Role | undefined;
  documentation: Omit<RouteConfig, "path" | "method">;
  handle(request: Request, api: Api): Promise<Response> | Response;
}

/** A body of JSON, as OpenAPI describes it. */
export const json = (schema: z.ZodType) => ({ "application/json": { schema } });

/** The errors that an operation can be answered with, beside those that every operation has. */
export function errors(...statuses: ErrorStatus[]): RouteConfig["responses"] {
  const content = { ...json(ErrorAnswer), [PROBLEM]: { schema: Problem } };
  const all = [...statuses, 500, 503] as const;
  return Object.fromEntries(
    all.map((status) => [status, { description: CODES[status].replaceAll("_", " "), content }]),
  );
}
