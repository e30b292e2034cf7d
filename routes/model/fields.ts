// What the schemas of routes, configurations and everything else that people write are made of: each field says in the same words what it expects.
import { z } from "zod";
import { byteLength } from "./bytes.ts";

/** The error of a value of another type, or of none. */
export const expected =
  (what: string) =>
  ({ input }: { input?: unknown }) =>
    input === undefined ? "required" : `expected ${what}`;

/** A field that may be left out; `description` says what it means. */
export function optional<Schema extends z.ZodType>(schema: Schema, description: string) {
  return z.exactOptional(schema.meta({ ...schema.meta(), description }));
}

export const flag = z.boolean({ error: expected("true or false") });

/** A text of 1 to `most` bytes. */
export function text(most: number, what = "a text in quotes") {
  return textOrEmpty(most, what)
    .refine((value) => value !== "", { error: "empty", abort: true })
    .meta({ minLength: 1, maxLength: most });
}

/** A text of at most `most` bytes. */
export function textOrEmpty(most: number, what = "a text in quotes") {
  return z
    .string({ error: expected(what) })
    .refine((value) => byteLength(value) <= most, { error: `longer than ${most} bytes`, abort: true })
    .meta({ maxLength: most });
}

/** One of a few words. */
export function word<const Words extends readonly string[]>(words: Words) {
  const all = `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
  return z.enum(words, { error: expected(all) });
}

export function list<Item extends z.ZodType>(
  item: Item,
  one: string,
  many: string,
  most = Number.POSITIVE_INFINITY,
  least = 1,
) {
  return z
    .array(item, { error: expected(`a list of ${many}`) })
    .min(least, { error: `at least one ${one} is needed` })
    .check(({ value, issues }) => {
      if (value.length <= most) return;
      issues.push({ code: "custom", path: [most], input: value, message: `more than ${most} ${many}` });
    })
    .meta(most === Number.POSITIVE_INFINITY ? {} : { maxItems: most });
}

export function object<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "invalid_type" ? expected("an object")(issue) : undefined),
  });
}

/** A whole number. */
export function whole(least: number, most: number) {
  const error = `expected a whole number from ${least} to ${most}`;
  return z
    .number({ error: expected(error.slice("expected ".length)) })
    .int({ error })
    .min(least, { error })
    .max(most, { error });
}
