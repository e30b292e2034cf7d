// Parts of schemas of other systems' documents: what is read is typed, and what else is there is passed over.
import { z } from "zod";
import { expected } from "../routes/model/fields.ts";

export const text = z.string({ error: expected("a text") });
export const name = text.refine((value) => value !== "", "empty");
export const port = z
  .number({ error: expected("a port's number") })
  .int("expected a port's number")
  .min(1, "expected a port's number")
  .max(65535, "expected a port's number");
export const flag = z.boolean({ error: expected("true or false") });
export const number = z.number({ error: expected("a number") });

export function list<Schema extends z.ZodType>(item: Schema) {
  return z.array(item, { error: expected("a list") });
}

export function object<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.looseObject(shape, { error: expected("an object") });
}

export function map<Schema extends z.ZodType>(value: Schema) {
  return z.record(z.string(), value, { error: expected("an object") });
}

/** A field that may be missing, or null, which is the same. */
export function maybe<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? undefined);
}

const texts = map(z.union([text, z.null()]));

export const metadata = object({
  name,
  namespace: maybe(name),
  labels: maybe(texts),
  annotations: maybe(texts),
  creationTimestamp: maybe(text),
});
