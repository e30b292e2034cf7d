// What goes in and comes out, as OpenAPI describes it.
import { z } from "@hono/zod-openapi";
import { optional, text } from "../../routes/model/fields.ts";
import { MAX_ID } from "../../routes/model/live-route.ts";
import { MAX_CLUSTER, MAX_KEY } from "../../routes/model/names.ts";
import { clusterRoute, serviceRoute } from "../../routes/reading/live-route.ts";
import { duration, MAX_LABELS, MAX_OWNER, routeId } from "../../routes/reading/name-fields.ts";
import { CODES, UNDECIDED } from "./errors.ts";

export const MAX_LIMIT = 1000;
const DEFAULT_LIMIT = 100;

export const RouteInput = z.union([serviceRoute, clusterRoute]).meta({
  id: "RouteInput",
  description: "A route as clients write it.",
  examples: [
    { id: "pr-42", service: "reviews", key: "pr-42", to: "reviews-pr-42", ttl: "2h" },
    { from: "outbound|80||a.demo.svc.cluster.local", key: "pr-42", to: "outbound|80|v2|a.demo.svc.cluster.local" },
    { service: "reviews:9080", when: [{ cookie: "user", exact: "alice" }], to: { service: "reviews", subset: "v2" } },
    { service: "reviews", split: [{ to: "reviews-v3", weight: 10 }], sticky: "cookie:session", owner: "ann" },
  ],
});

const revision = z.int().min(0).meta({ description: "Counts the changes of the table." });

/** A route on its way out has an id and a revision, and no ttl. */
const out = <Shape extends z.core.$ZodLooseShape>(schema: z.ZodObject<Shape>) => {
  const { ttl: _, ...shape } = schema.shape as Record<string, z.ZodType>;
  return z.strictObject({ ...shape, id: routeId, revision });
};

export const Route = z
  .union([out(serviceRoute), out(clusterRoute)])
  .meta({ id: "Route", description: "A route of the table." });

export const RouteList = z
  .strictObject({
    routes: z.array(Route),
    revision,
    next: optional(z.string(), "Where the list goes on: the `cursor` of the next request. Absent at its end."),
  })
  .meta({ id: "RouteList" });

export const Apply = z
  .strictObject({
    set: optional(z.array(RouteInput), "Routes to create or replace, each with its id."),
    delete: optional(z.array(routeId), "Ids of routes to delete; those of no route are passed over."),
  })
  .meta({ id: "Apply", description: "One transaction: all of it happens, or nothing." });

export const Applied = z.strictObject({ revision }).meta({ id: "Applied" });

export const Renew = z
  .strictObject({ ttl: duration.meta({ description: "How long the route lives from now on: `2h`, `90m`, `3d12h`." }) })
  .meta({ id: "Renew" });

export const Renewed = z
  .strictObject({ id: routeId, expires: z.string().meta({ format: "date-time" }), revision })
  .meta({ id: "Renewed" });

export const Explain = z
  .strictObject({
    method: optional(text(64), "The request's method; GET unless said."),
    path: optional(text(16_384), "The request's path with its query; / unless said."),
    headers: optional(
      z.array(z.tuple([text(256), z.string().max(65_536)])).max(1000),
      "The request's headers as pairs of name and value.",
    ),
    from: optional(text(MAX_CLUSTER), "The cluster that the request would go to without Keyway."),
    service: optional(text(400), "The service that the request would go to without Keyway, in place of `from`."),
    caller: optional(text(4096), "The caller's SPIFFE id, where mutual TLS proves one."),
  })
  .meta({
    id: "Explain",
    description: "A request, and where it would go: one of from and service.",
    examples: [{ service: "reviews", path: "/reviews/1", headers: [["x-routing-key", "pr-42"]] }],
  });

export const Explanation = z
  .strictObject({
    outcome: z.enum(["routed", "baseline", "no_key", "invalid_key", "missing_target", "already_routed", "by_chance"]),
    key: z.string().nullable(),
    source: z.string().nullable(),
    from: z.string(),
    to: z.string().nullable(),
    why: z.string(),
  })
  .meta({ id: "Explanation" });

/** What compiled tables are refused with. */
const TABLE_CODES = ["invalid_query", "too_many_scopes", "too_many_polls", "table_too_large"] as const;

export const ErrorAnswer = z
  .strictObject({
    error: z.strictObject({
      code: z.enum([...Object.values(CODES), UNDECIDED, ...TABLE_CODES]),
      message: z.string(),
      details: z.array(z.strictObject({ path: z.string(), message: z.string() })),
    }),
  })
  .meta({ id: "Error" });

/** The error in the form of RFC 9457, with Keyway's own within. */
export const Problem = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    ...ErrorAnswer.shape,
  })
  .meta({ id: "Problem" });

export const Alive = z.strictObject({ status: z.literal("alive") }).meta({ id: "Alive" });
export const Ready = z.strictObject({ status: z.literal("ready"), routes: z.int(), revision }).meta({ id: "Ready" });

const number = (least: number, most: number, what: string) =>
  z
    .string()
    .regex(/^\d{1,15}$/, what)
    .transform(Number)
    .refine((value) => value >= least && value <= most, what)
    .openapi({ type: "integer", minimum: least, maximum: most });

const filter = (most: number) => z.string().min(1, "empty").max(most, `longer than ${most} characters`);

/** What a label's filter can be: labels that no route can have would be filters that find nothing. */
const labelFilter = filter(600).regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*(?:=.*)?$/, "expected NAME or NAME=VALUE");

export const ListQuery = z.strictObject({
  service: optional(filter(400), "Routes of this service, as a route file names it; without a port, with any port."),
  from: optional(filter(MAX_CLUSTER), "Routes from this cluster."),
  key: optional(filter(MAX_KEY), "Routes of this key."),
  owner: optional(filter(MAX_OWNER), "Routes of this owner."),
  label: optional(
    z.array(labelFilter).max(MAX_LABELS, `more than ${MAX_LABELS} labels`),
    "`NAME=VALUE` or `NAME`; can be repeated, and then all must hold.",
  ),
  limit: optional(
    number(1, MAX_LIMIT, `expected a whole number from 1 to ${MAX_LIMIT}`),
    `Routes in one answer; ${DEFAULT_LIMIT} unless said.`,
  ),
  cursor: optional(filter(4 * MAX_ID), "The `next` of the answer before."),
});
export type ListQuery = z.output<typeof ListQuery>;
export const limitOf = ({ limit = DEFAULT_LIMIT }: ListQuery): number => limit;

export const WatchQuery = z.strictObject({
  since: optional(
    number(0, Number.MAX_SAFE_INTEGER, "expected a revision, a whole number"),
    "Changes after this revision. Without it, the routes that there are come first.",
  ),
});

export const ProxiesQuery = z.strictObject({
  revision: optional(
    number(0, Number.MAX_SAFE_INTEGER, "expected a revision, a whole number"),
    "What must be in force: the table as of this revision; as it is now unless said.",
  ),
  scope: optional(z.string().max(4096), "Proxies of this scope alone, as their configuration names it."),
  service: optional(filter(400), "Proxies whose tables may have routes of this service; its port does not matter."),
  route: optional(
    z.array(routeId).max(100, "more than 100 routes"),
    "Proxies whose tables have this route, by its id; can be repeated, and then one of them.",
  ),
  own: optional(
    z.enum(["true", "false"], { error: "expected true or false" }),
    "true: only the proxies that poll this server, each of them, as servers ask each other.",
  ),
});

const proxyCounts = {
  proxies: z.int().min(0).meta({ description: "Proxies that follow their tables." }),
  inForce: z
    .int()
    .min(0)
    .meta({ description: "Those of them that have in force what their table was at the revision." }),
};

const proxyFields = {
  revision,
  ...proxyCounts,
  scopes: z.array(
    z.strictObject({
      scope: z.string(),
      ...proxyCounts,
      behind: z.array(z.string()).meta({ description: "Addresses of those that do not have it yet, at most 20." }),
    }),
  ),
};

const milliseconds = z.number().min(0);

export const ProxyCounts = z
  .strictObject({
    ...proxyFields,
    servers: z.exactOptional(
      z
        .int()
        .min(1)
        .meta({ description: "Servers whose proxies are counted, where this one knows of others (--peers)." }),
    ),
    missing: z.exactOptional(
      z
        .array(z.strictObject({ server: z.string(), message: z.string() }))
        .meta({ description: "Servers that have not told which proxies they have, so that those are not counted." }),
    ),
  })
  .meta({ id: "Proxies" });

/** What servers tell each other. */
export const OwnProxies = z
  .strictObject({
    ...proxyFields,
    server: z.string().meta({ description: "A random name of the server's process." }),
    followers: z.array(
      z.strictObject({
        address: z.string(),
        scope: z.string(),
        digest: z.exactOptional(z.string().meta({ description: "Of its table; absent while that is not whole." })),
        came: milliseconds.meta({ description: "Milliseconds since it came to this server." }),
        answered: z.exactOptional(
          milliseconds.meta({
            description: "Milliseconds since it was answered; absent while it waits for an answer.",
          }),
        ),
      }),
    ),
  })
  .meta({ id: "OwnProxies" });

/** What proxies send to /v1/table. */
export const TableQuery = z.strictObject({
  scope: optional(z.string().max(4096), "Which table: what a proxy can use; all routes unless said."),
  layout: optional(z.string(), "The version of the bytes that the proxy reads."),
  revision: optional(z.string(), "The revision that the proxy has; 0 for none."),
  history: optional(z.string(), "The history that the revision is of, in hexadecimal."),
  digest: optional(z.string(), "The digest of the proxy's table, in hexadecimal, where it is whole."),
  next: optional(z.string(), "The bucket to go on with; 0 to begin."),
  wait: optional(z.string(), "Seconds to wait for a change."),
});

export const NoQuery = z.strictObject({});

/** The schemas that the document names. */
export const NAMED = {
  Route,
  RouteInput,
  RouteList,
  Apply,
  Applied,
  Renew,
  Renewed,
  Explain,
  Explanation,
  Proxies: ProxyCounts,
  OwnProxies,
  Error: ErrorAnswer,
  Problem,
  Alive,
  Ready,
} as const;
