import type { z } from "zod";
import { didYouMean } from "../../routes/reading/diagnostic.ts";
import { diagnosticsOf } from "../../routes/reading/validate.ts";
import type { Request } from "./context.ts";
import { invalid } from "./errors.ts";

/** The parameters of a request's query, each once but those that the schema has as lists. Unknown ones are refused. */
export function readQuery<Schema extends z.ZodObject>(request: Request, schema: Schema): z.output<Schema> {
  const known = Object.keys(schema.shape);
  const given = request.req.queries();
  const values: Record<string, unknown> = {};
  for (const [name, all] of Object.entries(given)) {
    if (!known.includes(name)) {
      const message = `unknown parameter${didYouMean(name, known) || `; there ${known.length > 0 ? `are ${known.join(", ")}` : "is none here"}`}`;
      throw invalid("the query can't be used", [{ path: [name], message }]);
    }
    const isList = schema.shape[name]?._zod.def.innerType?._zod.def.type === "array";
    if (!isList && all.length > 1) throw invalid("the query can't be used", [{ path: [name], message: "given twice" }]);
    values[name] = isList ? all : all[0];
  }
  const result = schema.safeParse(values);
  if (result.success) return result.data;
  throw invalid("the query can't be used", diagnosticsOf(result.error, []));
}
