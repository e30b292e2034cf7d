// Many changes in one transaction.
import { setImmediate } from "node:timers/promises";
import { z } from "zod";
import type { LiveRoute } from "../../routes/model/live-route.ts";
import { optional } from "../../routes/model/schema.ts";
import type { Diagnostic, Path } from "../../routes/reading/diagnostic.ts";
import { readLiveRoute } from "../../routes/reading/live-route.ts";
import { diagnosticsOf } from "../../routes/reading/validate.ts";
import { readJson } from "./body.ts";
import { type Endpoint, errors, json } from "./endpoint.ts";
import { invalid } from "./errors.ts";
import { hinted } from "./hints.ts";
import { readQuery } from "./query.ts";
import { Applied, Apply, NoQuery } from "./schemas.ts";
import { refuseTwins } from "./twins.ts";

/** Routes that are checked before others get their turn: some 10 ms. */
const AT_ONCE = 1000;
/** Mistakes after which no more routes are looked at. */
const ENOUGH = 100;

export const applyEndpoint: Endpoint = {
  path: "/v1/routes:apply",
  method: "post",
  role: "write",
  documentation: {
    operationId: "applyRoutes",
    summary: "Set and delete many routes in one transaction, all or nothing",
    request: { body: { content: json(Apply), required: true } },
    responses: {
      200: { description: "the table's revision with it", content: json(Applied) },
      ...errors(400, 401, 403, 408, 409, 413, 415, 507),
    },
  },
  async handle(request, api) {
    readQuery(request, NoQuery);
    const { set, delete: gone } = readShape(await readJson(request.env.incoming, api.maxBody));
    const routes = await readRoutes(set, api.now());
    refuseRepeated(routes, gone);
    const transaction = { set: routes, delete: gone };
    const release = refuseTwins(api.state, transaction);
    try {
      const { revision } = await api.store.commit(transaction);
      return request.json({ revision });
    } finally {
      release();
    }
  },
};

/** The routes are looked at one by one, later. */
const Shape = Apply.extend({ set: optional(z.array(z.unknown(), { error: "expected a list of routes" }), "") });

function readShape(body: unknown): { set: unknown[]; delete: string[] } {
  const result = Shape.safeParse(body);
  if (!result.success) throw invalid("the transaction can't be used", hinted(diagnosticsOf(result.error, []), Apply));
  return { set: result.data.set ?? [], delete: result.data.delete ?? [] };
}

async function readRoutes(set: readonly unknown[], now: number): Promise<LiveRoute[]> {
  const routes: LiveRoute[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const [at, value] of set.entries()) {
    const route = readLiveRoute(value, { now, path: ["set", at] });
    if (!Array.isArray(route)) routes.push(route);
    else diagnostics.push(...hinted(route, Apply));
    if (diagnostics.length >= ENOUGH) break;
    if (at % AT_ONCE === AT_ONCE - 1) await setImmediate();
  }
  if (diagnostics.length > 0) throw invalid("the transaction can't be used", diagnostics);
  return routes;
}

function refuseRepeated(routes: readonly LiveRoute[], gone: readonly string[]): void {
  const places = new Map<string, number>();
  const diagnostics: Diagnostic[] = [];
  const placeOf = (at: number) => (at < routes.length ? `set[${at}]` : `delete[${at - routes.length}]`);
  const note = (id: string, at: number, path: Path) => {
    const earlier = places.get(id);
    if (earlier === undefined) places.set(id, at);
    else diagnostics.push({ path, message: `the same id as ${placeOf(earlier)}` });
  };
  for (const [at, { id }] of routes.entries()) note(id, at, ["set", at, "id"]);
  for (const [at, id] of gone.entries()) note(id, routes.length + at, ["delete", at]);
  if (diagnostics.length > 0) throw invalid("the transaction can't be used", diagnostics);
}
