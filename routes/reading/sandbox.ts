import { z } from "zod";
import { formatDate, parseDate } from "../model/date.ts";
import { parseDuration } from "../model/duration.ts";
import { expected, flag, list, object, optional, text, word } from "../model/fields.ts";
import { fromFileEntry } from "../model/file-entry.ts";
import type { LiveRoute } from "../model/live-route.ts";
import { qualified } from "../model/qualify.ts";
import {
  type ForkEntry,
  MAX_FORK_CONTAINERS,
  MAX_FORKS,
  MAX_INCLUDE_LABELS,
  MAX_SANDBOX_NAME,
  MAX_SANDBOX_ROUTES,
  type SandboxResource,
  type SandboxSpec,
  WORKLOAD_KINDS,
} from "../model/sandbox.ts";
import { routeFields } from "../model/schema.ts";
import { CONDITION_TYPES } from "../model/status.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { duration } from "./name-fields.ts";
import { overlap, type Place, placeOf } from "./place.ts";
import { serviceBaseline, serviceTarget } from "./references.ts";
import { diagnosticsOf } from "./validate.ts";

const { key, when, missing, expires } = routeFields(serviceTarget);

const route = object({
  service: serviceBaseline,
  when,
  to: serviceTarget.meta({ ...serviceTarget.meta(), description: "The target: where the requests of the key go." }),
  missing,
});

const WORKLOAD = new RegExp(`^(?:${WORKLOAD_KINDS.join("|")})/[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$`);
const workload = text(300, "a workload").refine(
  (name) => WORKLOAD.test(name),
  `expected KIND/NAME, where KIND is one of ${WORKLOAD_KINDS.join(", ")}`,
);

const anyText = z.string({ error: expected("a text in quotes") });
const texts = z.array(anyText, { error: expected("a list of texts") });
const quantities = z.record(z.string(), z.union([z.string(), z.number()]), { error: expected("an object") });

const variable = object({
  name: text(1024),
  value: optional(anyText, "The value."),
  valueFrom: optional(
    z.record(z.string(), z.unknown(), { error: expected("an object") }),
    "Where the value comes from, as in a container of Kubernetes.",
  ),
});

const container = object({
  name: text(63).meta({ description: "The container's name in the workload's pod template." }),
  image: optional(text(1024), "The image that the copy runs."),
  env: optional(list(variable, "variable", "variables"), "Environment variables, merged by name with what is there."),
  args: optional(texts, "In place of the container's arguments."),
  command: optional(texts, "In place of the container's command."),
  resources: optional(
    object({ limits: optional(quantities, "At most."), requests: optional(quantities, "At least.") }),
    "In place of the container's resources.",
  ),
});

const fork = object({
  workload: workload.meta({ description: "What is copied: KIND/NAME in the Sandbox's namespace." }),
  containers: optional(
    list(container, "container", "containers", MAX_FORK_CONTAINERS),
    "What is different in the copy's containers.",
  ),
  replicas: optional(
    z
      .number({ error: expected("a number") })
      .int("expected a whole number")
      .min(0, "expected 0 or more"),
    "The copy's pods; 1 unless said.",
  ),
  follow: optional(flag, "True: the copy is made anew whenever the workload changes."),
});

const matchLabels = z
  .record(z.string(), anyText, { error: expected("an object") })
  .refine((labels) => Object.keys(labels).length > 0, "at least one label is needed")
  .refine((labels) => Object.keys(labels).length <= MAX_INCLUDE_LABELS, `more than ${MAX_INCLUDE_LABELS} labels`);

/** The spec of a Sandbox, as people write it. */
export const sandboxSpec = object({
  key: key.meta({ ...key.meta(), description: "The routing key; the Sandbox's name unless said." }),
  ttl: optional(duration, "How long the Sandbox lives from its creation on, in place of `expires`: `72h`, `3d12h`."),
  expires: expires.meta({ ...expires.meta(), description: "An RFC 3339 date; past it the Sandbox is deleted." }),
  routes: optional(list(route, "route", "routes", MAX_SANDBOX_ROUTES, 0), "Where the requests of the key go."),
  forks: optional(
    list(fork, "fork", "forks", MAX_FORKS, 0),
    "Copies of workloads, which take the requests of the key, and go with the Sandbox.",
  ),
  include: optional(
    object({ matchLabels }),
    "Other Sandboxes of the namespace, by their labels, whose routes hold under this key, too.",
  ),
})
  .check(({ value, issues }) => {
    if (value.ttl === undefined || value.expires === undefined) return;
    issues.push({ code: "custom", path: ["ttl"], input: value, message: "write ttl or expires, not both" });
  })
  .check(({ value, issues }) => {
    const seen = new Set<string>();
    for (const [at, { workload }] of (value.forks ?? []).entries()) {
      const message = `${workload} is forked twice`;
      if (seen.has(workload)) issues.push({ code: "custom", path: ["forks", at], input: value, message });
      seen.add(workload);
    }
  });

const condition = object({
  type: word(CONDITION_TYPES),
  status: word(["True", "False", "Unknown"]),
  reason: anyText,
  message: anyText,
  observedGeneration: z.exactOptional(z.number()),
  lastTransitionTime: anyText,
});

const conditioned = {
  observedGeneration: z.exactOptional(z.number()),
  proxies: z.exactOptional(object({ total: z.number(), inForce: z.number(), summary: anyText })),
  conditions: z.exactOptional(z.array(condition)),
};

/** The status of a Route resource. */
export const routeStatus = object({ ...conditioned, revision: z.exactOptional(z.number()) });

/** The status of a Sandbox. */
export const sandboxStatus = object({
  ...conditioned,
  key: z.exactOptional(anyText),
  expires: z.exactOptional(anyText),
  routes: z.exactOptional(
    z.array(
      object({
        service: anyText,
        to: anyText,
        from: anyText,
        ready: z.exactOptional(flag),
        endpoints: z.exactOptional(z.number()),
      }),
    ),
  ),
  forks: z.exactOptional(
    z.array(
      object({
        workload: anyText,
        fork: z.exactOptional(anyText),
        service: z.exactOptional(anyText),
        ready: flag,
        reason: z.exactOptional(anyText),
        message: z.exactOptional(anyText),
        baselineChanged: z.exactOptional(flag),
      }),
    ),
  ),
});

/** A Sandbox whose spec was checked. */
export interface ReadSandbox {
  key: string;
  /** RFC 3339, in UTC and whole seconds. */
  expires?: string;
  /** The routes of the spec: without key, id and the like, with a namespace in each service. */
  routes: Omit<LiveRoute, "id">[];
  forks: ForkEntry[];
  include?: Record<string, string>;
}

/** What a Sandbox says, or all that is wrong with it. Whether it has expired is not looked at. */
export function readSandbox({ metadata, spec }: SandboxResource): ReadSandbox | Diagnostic[] {
  if (metadata.name.length > MAX_SANDBOX_NAME) {
    const message = `longer than ${MAX_SANDBOX_NAME} characters, which a label's value can't be`;
    return [{ path: ["metadata", "name"], message }];
  }
  const result = sandboxSpec.safeParse(spec);
  if (!result.success) return diagnosticsOf(result.error, ["spec"]);
  const read = result.data as SandboxSpec;
  const end = endOf(read, metadata.creationTimestamp);
  if (end instanceof Error)
    return [{ path: ["spec", read.ttl === undefined ? "expires" : "ttl"], message: end.message }];
  const routes = (read.routes ?? []).map((one) => {
    const { id: _, ...entry } = fromFileEntry({ ...qualified(one, metadata.namespace), id: "" });
    return entry;
  });
  const twins = twinsAmong(routes.map(placeOf));
  if (twins.length > 0) return twins;
  return {
    key: read.key ?? metadata.name,
    ...(end !== undefined && { expires: end }),
    routes,
    forks: read.forks ?? [],
    ...(read.include && { include: read.include.matchLabels }),
  };
}

function endOf({ ttl, expires }: SandboxSpec, created: string | undefined): string | undefined | Error {
  if (ttl === undefined && expires === undefined) return undefined;
  const at = ttl === undefined ? parseDate(expires ?? "") : (parseDate(created ?? "") ?? 0) + (parseDuration(ttl) ?? 0);
  return (at === undefined ? undefined : formatDate(at)) ?? new Error("this is after the year 9999");
}

function twinsAmong(places: readonly Place[]): Diagnostic[] {
  return places.flatMap((place, at) => {
    const earlier = places.slice(0, at).findIndex((other) => overlap(place, other));
    if (earlier < 0) return [];
    const message = `same service${place.conditions ? " and conditions" : ""} as routes[${earlier}]`;
    return [{ path: ["spec", "routes", at], message }];
  });
}
