import { z } from "zod";
import { formatDate, parseDate } from "../model/date.ts";
import { parseDuration } from "../model/duration.ts";
import { expected, object, optional } from "../model/fields.ts";
import { inOrder, type LiveRoute } from "../model/live-route.ts";
import { betweenFields, cluster, routeFields } from "../model/schema.ts";
import type { Diagnostic, Path } from "./diagnostic.ts";
import { duration, nameFields } from "./name-fields.ts";
import { clusterBaseline, serviceBaseline, serviceTarget } from "./references.ts";
import { diagnosticsOf } from "./validate.ts";

const managed = {
  ...nameFields,
  revision: optional(
    z
      .number({ error: expected("a number") })
      .int("expected a whole number")
      .meta({ readOnly: true }),
    "The revision of the table with which the route became what it is; what a client writes here is passed over.",
  ),
  ttl: optional(duration, "How long the route lives from now on, in place of `expires`: `2h`, `90m`, `3d12h`."),
};

type Fields = z.core.ParsePayload<{ ttl?: unknown; expires?: unknown }>;

function oneEnd({ value, issues }: Fields): void {
  if (value.ttl === undefined || value.expires === undefined) return;
  issues.push({ code: "custom", path: ["ttl"], input: value, message: "write ttl or expires, not both" });
}

/** A route from a service, as clients write it. */
export const serviceRoute = object({ service: serviceBaseline, ...routeFields(serviceTarget), ...managed })
  .check(betweenFields)
  .check(oneEnd)
  .meta({ description: "A route from a baseline service to target services." });

/** A route from a cluster, as clients write it. */
export const clusterRoute = object({ from: clusterBaseline, ...routeFields(cluster), ...managed })
  .check(betweenFields)
  .check(oneEnd)
  .meta({ description: "A route from a baseline's cluster to targets' clusters." });

export interface Context {
  /** Seconds since 1970. */
  now: number;
  /** The id that is said elsewhere, as in a path. */
  id?: string;
  /** Where the route stands. */
  path: Path;
}

/** A route as it is stored, or all that is wrong with it. */
export function readLiveRoute(value: unknown, { now, id, path }: Context): LiveRoute | Diagnostic[] {
  const isCluster = typeof value === "object" && value !== null && "from" in value;
  if (isCluster && "service" in value) return [{ path, message: "write service or from, not both" }];
  const result = (isCluster ? clusterRoute : serviceRoute).safeParse(value);
  if (!result.success) return diagnosticsOf(result.error, path);
  const { ttl, expires, revision: _, ...rest } = result.data;
  if (id !== undefined && rest.id !== undefined && rest.id !== id) {
    return [{ path: [...path, "id"], message: "not the id that the path names" }];
  }
  const name = id ?? rest.id;
  if (name === undefined) return [{ path: [...path, "id"], message: "required" }];
  const end = endOf({ ttl, expires, now });
  if (end instanceof Error) {
    return [{ path: [...path, ttl === undefined ? "expires" : "ttl"], message: end.message }];
  }
  return inOrder({ ...(rest as Omit<LiveRoute, "id">), id: name, ...(end !== undefined && { expires: end }) });
}

interface End {
  ttl: string | undefined;
  expires: string | undefined;
  now: number;
}

/** When a route expires, in UTC; an Error's message says why it can't. */
export function endOf({ ttl, expires, now }: End): string | undefined | Error {
  if (ttl === undefined && expires === undefined) return undefined;
  const at = ttl === undefined ? parseDate(expires ?? "") : now + (parseDuration(ttl) ?? 0);
  // A route lives at least as long as it was given.
  const end = at === undefined ? undefined : formatDate(Math.ceil(at));
  if (at === undefined || end === undefined) return new Error("this is after the year 9999");
  return at > now ? end : new Error(`this is in the past; now it is ${formatDate(Math.floor(now))}`);
}
