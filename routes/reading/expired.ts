import { parseDate } from "../model/date.ts";
import type { Diagnostic } from "./diagnostic.ts";

/** What is to be told of routes that had ended by `now`, in seconds since 1970: no mistake, but they have no effect. */
export function expiredRoutes(routes: readonly { expires?: string }[], now: number): Diagnostic[] {
  return routes.flatMap(({ expires }, index) => {
    const end = parseDate(expires ?? "");
    if (end === undefined || end > now) return [];
    const message = `${expires} has passed, so proxies ignore the route`;
    return [{ path: ["routes", index, "expires"], message }];
  });
}
