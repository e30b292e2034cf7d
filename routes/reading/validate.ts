import type { z } from "zod";
import { quoted } from "../model/bytes.ts";
import { ConfigurationError, type Diagnostic, type Path } from "./diagnostic.ts";

/** The value as the schema types it; throws a ConfigurationError with every diagnostic. */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  locate = (diagnostics: Diagnostic[]) => diagnostics,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ConfigurationError(locate(diagnosticsOf(result.error, [])));
}

/** Every diagnostic of a value that stands at `above`. */
export function diagnosticsOf(error: z.core.$ZodError, above: Path): Diagnostic[] {
  return error.issues.flatMap((issue) => toDiagnostics(issue, above));
}

function toDiagnostics(issue: z.core.$ZodIssue, above: Path): Diagnostic[] {
  const path = [...above, ...(issue.path as (string | number)[])];
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({ path, message: `unknown field ${quoted(key)}`, field: key }));
  if (issue.code === "invalid_union") return closestForm(issue.errors).flatMap((inner) => toDiagnostics(inner, path));
  return [{ path, message: issue.message }];
}

/** Of a union's forms the one that the value was meant to have: of its type, with the fewest faults; else the first. */
function closestForm(forms: z.core.$ZodIssue[][]): z.core.$ZodIssue[] {
  const ofItsType = forms.filter(
    (issues) => !issues.some(({ code, path }) => code === "invalid_type" && path.length === 0),
  );
  return ofItsType.sort((a, b) => a.length - b.length)[0] ?? forms[0] ?? [];
}
