import { ApiError } from "./errors.ts";

export const etagOf = ({ revision }: { revision: number }): string => `"${revision}"`;

const TAGS = /^\s*(?:W\/)?"[^"]*"\s*(?:,\s*(?:W\/)?"[^"]*"\s*)*$/;

/** `*`, or the entity tags of If-Match or If-None-Match; undefined without the header. */
function parse(name: string, value: string | undefined): "*" | string[] | undefined {
  if (value === undefined) return undefined;
  if (value.trim() === "*") return "*";
  if (TAGS.test(value)) return value.match(/(?:W\/)?"[^"]*"/g) ?? [];
  const message = `expected entity tags in quotes, like "12", or *`;
  throw new ApiError(400, `${name}: ${message}`, { details: [{ path: name, message }] });
}

/** Whether a route is one that If-None-Match names; weak tags count. */
export function noneMatch(value: string | undefined, route: { revision: number } | undefined): boolean {
  const tags = parse("If-None-Match", value);
  if (tags === undefined || route === undefined) return false;
  return tags === "*" || tags.some((tag) => tag.replace(/^W\//, "") === etagOf(route));
}

/** Whether If-Match allows the route; weak tags never do, and nothing allows what is not there. */
export function matches(value: string | undefined, route: { revision: number } | undefined): boolean {
  const tags = parse("If-Match", value);
  if (tags === undefined) return true;
  if (route === undefined) return false;
  return tags === "*" || tags.includes(etagOf(route));
}
