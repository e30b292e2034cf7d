// The nearest name for a field that is not known.
import type { z } from "zod";
import { type Diagnostic, didYouMean } from "../../routes/reading/diagnostic.ts";

/** The same diagnostics; those of unknown fields say which ones there are that look alike. */
export function hinted(diagnostics: readonly Diagnostic[], schema: z.ZodType): Diagnostic[] {
  return diagnostics.map((diagnostic) => {
    const { field, message, path } = diagnostic;
    if (field === undefined) return diagnostic;
    return { ...diagnostic, message: message + didYouMean(field, fieldsAt(schema, path)) };
  });
}

/** The fields that an object may have at a place of a schema, in whatever form of a union. */
function fieldsAt(schema: z.core.$ZodType, path: Diagnostic["path"]): string[] {
  const def = schema._zod.def as unknown as Record<string, unknown> & { type: string };
  if ("innerType" in def) return fieldsAt(def.innerType as z.core.$ZodType, path);
  if (def.type === "union") return (def.options as z.core.$ZodType[]).flatMap((one) => fieldsAt(one, path));
  const [step, ...rest] = path;
  if (def.type === "array" && step !== undefined) return fieldsAt(def.element as z.core.$ZodType, rest);
  if (def.type !== "object") return [];
  const shape = def.shape as Record<string, z.core.$ZodType>;
  if (step === undefined) return Object.keys(shape);
  const inner = typeof step === "string" ? shape[step] : undefined;
  return inner === undefined ? [] : fieldsAt(inner, rest);
}
