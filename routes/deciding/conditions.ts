import { toLatin1 } from "../model/bytes.ts";
import type { Condition, RequestPart } from "../model/model.ts";
import type { DecisionInput } from "./input.ts";
import { candidates, valuesOf } from "./scan.ts";

/** Whether all conditions hold; true for none. */
export function allHold(conditions: readonly Condition[] | undefined, input: DecisionInput): boolean {
  return (conditions ?? []).every((condition) => holds(condition, input) !== (condition.not ?? false));
}

/** A condition holds when one of its values does: of a repeated header, of several cookies or parameters of one name. */
function holds(condition: Condition, input: DecisionInput): boolean {
  const values = valuesFor(condition, input);
  if (condition.present !== undefined) return condition.present === values.length > 0;
  return values.some((value) => fits(condition, value));
}

function valuesFor({ header, cookie, query, request }: Condition, input: DecisionInput): string[] {
  if (header !== undefined) return valuesOf(input.headers, header);
  if (cookie !== undefined) return candidates({ kind: "cookie", name: cookie }, input.headers, "");
  if (query !== undefined) return candidates({ kind: "query", name: query }, input.headers, "");
  return request === undefined ? [] : partOf(request, input);
}

function partOf(part: RequestPart, { headers, caller }: DecisionInput): string[] {
  if (part === "caller") return caller ? [toLatin1(caller)] : [];
  if (part === "method") return valuesOf(headers, ":method");
  if (part === "host") return valuesOf(headers, ":authority").map((host) => host.replace(/:\d*$/, ""));
  return valuesOf(headers, ":path").map((path) => path.replace(/\?.*$/s, ""));
}

function fits({ exact, prefix, suffix, contains }: Condition, value: string): boolean {
  if (exact !== undefined) return value === toLatin1(exact);
  if (prefix !== undefined) return value.startsWith(toLatin1(prefix));
  if (suffix !== undefined) return value.endsWith(toLatin1(suffix));
  return value.includes(toLatin1(contains ?? ""));
}
