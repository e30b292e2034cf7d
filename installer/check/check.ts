import { didYouMean } from "../../routes/reading/diagnostic.ts";
import { KeywayError, UsageError } from "../../shared/errors.ts";
import { TimeIsUp } from "../../shared/net/limit.ts";

export type Severity = "fatal" | "warning";

/** Something that must hold. It is data, so that checks can be listed, printed and ignored by id. */
export interface Check<Context> {
  id: string;
  /** The statement that is true when the check passes. */
  description: string;
  severity: Severity;
  /** What to do when it fails; an outcome may give a better hint. */
  hint: string;
  /** Ids of the checks that must pass before this one can be made. */
  needs?: readonly string[];
  run(context: Context): Promise<CheckOutcome>;
}

export interface CheckOutcome {
  /** Undefined when nobody could look; `detail` says why. */
  holds: boolean | undefined;
  /** What the check found, such as pods, a version or a name. */
  detail?: string;
  hint?: string;
  /** Overrides the severity of the check for this outcome. */
  severity?: Severity;
}

export interface CheckResult {
  id: string;
  description: string;
  status: "ok" | Severity | "skipped";
  detail?: string;
  hint?: string;
}

export interface RunOptions {
  /** Ids of checks whose failure is a warning, and stops no check that needs them. */
  ignored?: readonly string[];
  tell?: (result: CheckResult) => void;
}

/** Makes the checks in their order; those whose needs do not hold are skipped. */
export async function runChecks<Context>(
  checks: readonly Check<Context>[],
  context: Context,
  { ignored = [], tell = () => {} }: RunOptions = {},
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const stopping = new Set<string>();
  for (const check of checks) {
    const missing = check.needs?.filter((id) => stopping.has(id)) ?? [];
    const made = missing.length > 0 ? skipped(check, missing) : await runOne(check, context);
    const result = made.status === "fatal" && ignored.includes(check.id) ? ignoredResult(made) : made;
    // What could not be looked at for want of an optional right stops nothing else.
    if (missing.length > 0 || result.status === "fatal") stopping.add(check.id);
    results.push(result);
    tell(result);
  }
  return results;
}

function skipped<Context>({ id, description }: Check<Context>, missing: string[]): CheckResult {
  return { id, description, status: "skipped", detail: `not looked at: it needs ${missing.join(" and ")}` };
}

function ignoredResult(result: CheckResult): CheckResult {
  const detail = result.detail === undefined ? "ignored, as you say" : `${result.detail}\nignored, as you say`;
  return { ...result, status: "warning", detail };
}

async function runOne<Context>(check: Check<Context>, context: Context): Promise<CheckResult> {
  const { id, description } = check;
  const { holds, detail, hint = check.hint, severity = check.severity } = await check.run(context).catch(outcomeOf);
  const seen = { id, description, ...(detail !== undefined && { detail }) };
  if (holds) return { ...seen, status: "ok" };
  return { ...seen, status: holds === undefined ? "skipped" : severity, hint };
}

/** The outcome of a check that threw: it does not hold. A fault of Keyway itself is thrown on. */
function outcomeOf(thrown: unknown): CheckOutcome {
  if (!(thrown instanceof KeywayError) || thrown instanceof TimeIsUp) throw thrown;
  const detail = thrown.where === undefined ? thrown.message : `${thrown.message} (${thrown.where})`;
  return { holds: false, detail, ...(thrown.next !== undefined && { hint: thrown.next }) };
}

export function failures(results: readonly CheckResult[]): CheckResult[] {
  return results.filter(({ status }) => status === "fatal");
}

/** Refuses ids that no check has: a misspelt id would ignore nothing. */
export function refuseUnknown(ids: readonly string[], known: readonly string[]): void {
  const strange = ids.find((id) => !known.includes(id));
  if (strange === undefined) return;
  throw new UsageError(`there is no check "${strange}" to ignore${didYouMean(strange, known)}`, {
    next: `the checks are ${known.join(", ")}`,
  });
}
