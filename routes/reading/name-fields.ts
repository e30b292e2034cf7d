import { z } from "zod";
import { parseDuration } from "../model/duration.ts";
import { expected, object, optional, text } from "../model/fields.ts";
import { isRouteId, MAX_ID } from "../model/live-route.ts";

export const MAX_OWNER = 256; // bytes
export const MAX_LABELS = 64;

export const routeId = text(MAX_ID)
  .refine(isRouteId, "an id is letters, digits and . _ ~ -, in parts between slashes, none of them empty, . or ..")
  .meta({ pattern: "^[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*$" });

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\x00-\x1f\x7f]/;
const owner = text(MAX_OWNER).refine((name) => !CONTROL.test(name), "a control character in a name");

const LABEL_NAME = "a label's name is at most 317 letters, digits and . _ / -, a letter or digit first";
const labelName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,316}$/);
const labelValue = z
  .string({ error: expected("a text in quotes") })
  .regex(/^[A-Za-z0-9._:/@+-]{0,256}$/, "a label's value is letters, digits and . _ : / @ + -, at most 256");
const labels = z
  .record(labelName, labelValue, {
    error: ({ code }) => (code === "invalid_type" ? "expected an object" : LABEL_NAME),
  })
  .refine((all) => Object.keys(all).length <= MAX_LABELS, `more than ${MAX_LABELS} labels`);

export const duration = text(64, 'a duration in quotes, like "2h"').refine(
  (value) => parseDuration(value) !== undefined,
  "expected a duration like 2h, 90m or 3d12h",
);

const WORKLOAD_KIND = "expected a kind, like Deployment, StatefulSet or ArgoRollout";
const containerPort = "a container's port, 1 to 65535";
const workload = object({
  kind: text(63)
    .regex(/^[A-Z][A-Za-z0-9]*$/, WORKLOAD_KIND)
    .meta({ description: "`Deployment`, `StatefulSet` or `ArgoRollout`." }),
  namespace: text(63)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, "not a namespace's name")
    .meta({ description: "The workload's namespace." }),
  name: text(253)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "not a workload's name")
    .meta({ description: "The workload's own name." }),
  port: z
    .int({ error: expected(containerPort) })
    .min(1, `expected ${containerPort}`)
    .max(65535, `expected ${containerPort}`)
    .meta({ description: "The port on which the workload's containers listen." }),
});

/** What a route is found by, and the proxy knows nothing of. */
export const nameFields = {
  id: optional(routeId, "The route's name in the live table."),
  workload: optional(
    workload,
    "The baseline's workload, for clients of Signadot's routes API; needed only where no cluster says which one it is.",
  ),
  owner: optional(owner, "Whose route it is."),
  labels: optional(labels, "Labels to find the route by."),
};
