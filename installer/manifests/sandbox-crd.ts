import {
  MAX_FORK_CONTAINERS,
  MAX_FORKS,
  MAX_INCLUDE_LABELS,
  MAX_SANDBOX_NAME,
  MAX_SANDBOX_ROUTES,
  SANDBOX_KIND,
  WORKLOAD_KINDS,
} from "../../routes/model/sandbox.ts";
import {
  ageColumn,
  baseline,
  column,
  conditionColumn,
  conditioned,
  definition,
  expires,
  key,
  listBy,
  listOf,
  missing,
  object,
  proxiesColumn,
  rules,
  target,
  text,
  told,
  when,
} from "./crd-parts.ts";

const route = object(
  { service: baseline, when, to: target, missing },
  "A route from a baseline service to a target, for requests with the Sandbox's key.",
  ["service", "to"],
);

const quantities = (description: string) => ({
  type: "object",
  description,
  additionalProperties: { "x-kubernetes-int-or-string": true },
});

const container = object(
  {
    name: text("The container's name in the workload's pod template."),
    image: text("The image that the copy runs."),
    env: listBy(
      "name",
      object(
        {
          name: text("The variable's name."),
          value: { type: "string", description: "The value." },
          valueFrom: {
            type: "object",
            "x-kubernetes-preserve-unknown-fields": true,
            description: "Where the value comes from, as in any container.",
          },
        },
        "An environment variable.",
        ["name"],
      ),
      "Environment variables, merged by name with what is there.",
    ),
    args: listOf({ type: "string" }, "In place of the container's arguments."),
    command: listOf({ type: "string" }, "In place of the container's command."),
    resources: object(
      { limits: quantities("At most."), requests: quantities("At least.") },
      "In place of the container's resources.",
    ),
  },
  "What is different in one container of the copy.",
  ["name"],
);

const KINDS = WORKLOAD_KINDS.join("|");

const fork = object(
  {
    workload: text("What is copied: KIND/NAME in this namespace, as in Deployment/details.", {
      maxLength: 300,
      ...rules([
        `self.matches('^(${KINDS})/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')`,
        `expected KIND/NAME, where KIND is one of ${WORKLOAD_KINDS.join(", ")}`,
      ]),
    }),
    containers: listBy("name", container, "What is different in the copy's containers; without it nothing is.", {
      maxItems: MAX_FORK_CONTAINERS,
    }),
    replicas: { type: "integer", minimum: 0, description: "The copy's pods; 1 unless said." },
    follow: {
      type: "boolean",
      description: "True: the copy is made anew whenever the workload changes. False (the default): the status tells.",
    },
  },
  "A copy of a workload, which takes the requests of the key that the workload's Services would get.",
  ["workload"],
);

const spec = object(
  {
    key: key("The routing key; the Sandbox's name unless said."),
    ttl: text("How long the Sandbox lives from its creation on, in place of expires: 72h, 90m, 3d12h.", {
      maxLength: 64,
      ...rules([
        "self.matches('^([0-9]{1,6}w)?([0-9]{1,6}d)?([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,9}s)?$') && self.matches('[1-9]')",
        "expected a duration like 2h, 90m or 3d12h",
      ]),
    }),
    expires: expires("RFC 3339, as in 2030-01-31T12:00:00Z; past it the Sandbox is deleted."),
    routes: listOf(route, "Where the requests of the key go instead of where they would go without it.", {
      maxItems: MAX_SANDBOX_ROUTES,
    }),
    forks: listBy(
      "workload",
      fork,
      "Copies of workloads that Keyway makes, routes to, and takes away with the Sandbox.",
      { maxItems: MAX_FORKS },
    ),
    include: object(
      {
        matchLabels: {
          type: "object",
          description: "Labels that the other Sandboxes have, all of them.",
          additionalProperties: { type: "string" },
          minProperties: 1,
          maxProperties: MAX_INCLUDE_LABELS,
        },
      },
      "Other Sandboxes of this namespace, whose routes hold under this key, too. Own routes win over theirs; where two of them " +
        "disagree the older one wins, and the statuses say so.",
      ["matchLabels"],
    ),
  },
  "What one preview needs: routes to what runs already, copies of workloads, the routes of other Sandboxes.",
  [],
  rules(["!(has(self.ttl) && has(self.expires))", "write ttl or expires, not both"]),
);

const status = object(
  {
    ...conditioned,
    key: told("string", "The routing key."),
    expires: told("string", "When the Sandbox is deleted."),
    routes: listOf(
      object(
        {
          service: told("string", "The baseline."),
          to: told("string", "The target."),
          from: told("string", "Where the route comes from: spec, fork WORKLOAD or include SANDBOX."),
          ready: told("boolean", "Whether requests are sent there; absent where nobody can say."),
          endpoints: told("integer", "The target's pods that are ready; absent where nobody can say."),
        },
        "A route.",
        ["service", "to", "from"],
      ),
      "The routes as they are resolved.",
    ),
    forks: listBy(
      "workload",
      object(
        {
          workload: told("string", "What is copied."),
          fork: told("string", "The copy's name; absent while there is none."),
          service: told("string", "The copy's Services."),
          ready: told("boolean", "Whether the copy takes requests."),
          reason: told("string", "Why it does not, in one word."),
          message: told("string", "Why it does not, and what to do."),
          baselineChanged: told("boolean", "Whether the workload has changed since the copy was made."),
        },
        "A copy.",
        ["workload", "ready"],
      ),
      "The copies.",
    ),
  },
  "What became of it; written by Keyway's controller.",
);

/** The CustomResourceDefinition of Sandbox. */
export function sandboxDefinition() {
  return definition({
    kind: SANDBOX_KIND,
    plural: "sandboxes",
    shortName: "kws",
    description:
      "All that one preview needs, in one object: requests with its key go where its routes, its copies of workloads and the Sandboxes that it " +
      "includes say, and everybody else's where they always go. Deleting it takes all of it away.",
    spec,
    status,
    columns: [
      column("Key", ".status.key"),
      conditionColumn("Accepted"),
      conditionColumn("Resolved"),
      conditionColumn("InForce"),
      proxiesColumn,
      column("Expires", ".status.expires", { priority: 1 }),
      column("Resolved-Message", '.status.conditions[?(@.type=="Resolved")].message', { priority: 1 }),
      ageColumn,
    ],
    whole: rules([
      `self.metadata.name.size() <= ${MAX_SANDBOX_NAME}`,
      `a Sandbox's name has at most ${MAX_SANDBOX_NAME} characters`,
    ]),
  });
}
