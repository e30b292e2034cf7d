import { KeywayError } from "../cli/errors.ts";

/** Something that must hold. As data, so that it can be listed, printed, and asked for by name. */
export interface Condition<Facts> {
  id: string;
  /** What holds when it holds. */
  description: string;
  severity: "fatal" | "warning";
  /** What to do when it does not; a finding may know better. */
  hint: string;
  /** Conditions without which this one can't be looked at. */
  needs?: readonly string[];
  examine(facts: Facts): Promise<Finding>;
}

export interface Finding {
  holds: boolean;
  /** What was seen: which pods, which version, which name. */
  detail?: string;
  hint?: string;
}

export interface Result {
  id: string;
  description: string;
  status: "ok" | "warning" | "fatal" | "skipped";
  detail?: string;
  hint?: string;
}

/** Examines the conditions in their order; those whose needs did not hold are skipped. */
export async function examine<Facts>(
  conditions: readonly Condition<Facts>[],
  facts: Facts,
  tell: (result: Result) => void = () => {},
): Promise<Result[]> {
  const results: Result[] = [];
  for (const condition of conditions) {
    const missing = condition.needs?.filter((id) => results.some((one) => one.id === id && !passed(one))) ?? [];
    const result = missing.length > 0 ? skipped(condition, missing) : await examineOne(condition, facts);
    results.push(result);
    tell(result);
  }
  return results;
}

function passed({ status }: Result): boolean {
  return status === "ok" || status === "warning";
}

function skipped<Facts>({ id, description }: Condition<Facts>, missing: string[]): Result {
  return { id, description, status: "skipped", detail: `can't be looked at before ${missing.join(" and ")}` };
}

async function examineOne<Facts>(condition: Condition<Facts>, facts: Facts): Promise<Result> {
  const { id, description, severity } = condition;
  const { holds, detail, hint } = await condition.examine(facts).catch(findingOf);
  const seen = detail === undefined ? {} : { detail };
  if (holds) return { id, description, status: "ok", ...seen };
  return { id, description, status: severity, ...seen, hint: hint ?? condition.hint };
}

/** What can't be examined does not hold; a fault of Keyway stays one. */
function findingOf(thrown: unknown): Finding {
  if (!(thrown instanceof KeywayError)) throw thrown;
  return { holds: false, detail: thrown.message, ...(thrown.next === undefined ? {} : { hint: thrown.next }) };
}

export function failures(results: readonly Result[]): Result[] {
  return results.filter(({ status }) => status === "fatal");
}
