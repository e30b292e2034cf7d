// Many changes in one transaction.
import { z } from "zod";
import { optional } from "../../routes/model/fields.ts";
import type { LiveRoute } from "../../routes/model/live-route.ts";
import type { Diagnostic } from "../../routes/reading/diagnostic.ts";
import { readLiveRoute } from "../../routes/reading/live-route.ts";
import { routeId } from "../../routes/reading/name-fields.ts";
import { diagnosticsOf } from "../../routes/reading/validate.ts";
import { Slices } from "../slices.ts";
import { Shards } from "../state/shards.ts";
import type { Transaction } from "../store/store.ts";
import { readText } from "./body.ts";
import { commit } from "./commit.ts";
import type { Api, Request } from "./context.ts";
import { type Endpoint, errors, json } from "./endpoint.ts";
import { ApiError, invalid } from "./errors.ts";
import { hinted } from "./hints.ts";
import { ListReader, type Told } from "./list-reader.ts";
import { readQuery } from "./query.ts";
import { Applied, Apply, NoQuery } from "./schemas.ts";

/** Mistakes after which no more routes are looked at. */
const ENOUGH = 100;

const ADVICE = "(--max-body); send it in several requests";

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
    const { revision } = await commit(api, await readTransaction(request, api));
    return request.json({ revision });
  },
};

/** The routes are looked at as they come. */
async function readTransaction(request: Request, api: Api): Promise<Transaction> {
  const routes = new Gathered(api.now(), api.maxRoutes);
  const reader = new ListReader(["set", "delete"], routes);
  const slices = new Slices();
  for await (const piece of readText(request.env.incoming, { bytes: api.maxBody, advice: ADVICE })) {
    reader.push(piece);
    if (slices.isOver) await slices.next();
  }
  reader.end();
  return routes.transaction;
}

const Shape = Apply.extend({ set: optional(z.array(z.unknown(), { error: "expected a list of routes" }), "") });

/** The routes and ids of a transaction, as long as nothing is wrong with any. */
class Gathered implements Told {
  readonly #now: number;
  readonly #most: number;
  #set: LiveRoute[] = [];
  #delete: string[] = [];
  /** Where each id stands. */
  readonly #places = new Shards<string>();
  readonly #diagnostics: Diagnostic[] = [];
  #count = 0;

  constructor(now: number, most: number) {
    this.#now = now;
    this.#most = most;
  }

  get transaction(): Transaction {
    if (this.#diagnostics.length > 0) throw this.#refusal();
    return { set: this.#set, delete: this.#delete };
  }

  item(list: string, at: number, value: unknown): void {
    if (++this.#count > this.#most) throw this.#tooMany(list, at);
    const id = list === "set" ? this.#route(at, value) : this.#id(at, value);
    if (id === undefined) return;
    const path = list === "set" ? ["set", at, "id"] : ["delete", at];
    const earlier = this.#places.get(id);
    if (earlier === undefined) this.#places.set(id, `${list}[${at}]`);
    else this.#report([{ path, message: `the same id as ${earlier}` }]);
  }

  other(field: string | undefined, value: unknown): void {
    const result = Shape.safeParse(field === undefined ? value : { [field]: value });
    if (!result.success) this.#report(hinted(diagnosticsOf(result.error, []), Apply));
  }

  #route(at: number, value: unknown): string | undefined {
    const route = readLiveRoute(value, { now: this.#now, path: ["set", at] });
    if (Array.isArray(route)) {
      this.#report(hinted(route, Apply));
      return undefined;
    }
    if (this.#diagnostics.length === 0) this.#set.push(route);
    return route.id;
  }

  #id(at: number, value: unknown): string | undefined {
    const id = routeId.safeParse(value);
    if (!id.success) this.#report(diagnosticsOf(id.error, ["delete", at]));
    else this.#delete.push(id.data);
    return id.data;
  }

  #report(diagnostics: readonly Diagnostic[]): void {
    this.#set = [];
    this.#diagnostics.push(...diagnostics);
    if (this.#diagnostics.length >= ENOUGH) throw this.#refusal();
  }

  #refusal(): ApiError {
    return invalid("the transaction can't be used", this.#diagnostics);
  }

  #tooMany(list: string, at: number): ApiError {
    const message = `more than ${this.#most} routes (--max-routes) in one transaction; send them in several`;
    return new ApiError(413, message, { details: [{ path: `${list}[${at}]`, message }] });
  }
}
