import { createHash } from "node:crypto";
import type { LiveRoute } from "../../routes/model/live-route.ts";
import type { Reference } from "../../routes/model/model.ts";
import { conditionIdentity } from "../../routes/reading/duplicates.ts";

const MAX_LENGTH = 63; // characters: then an id is a Kubernetes name, and a label's value
const HASH_LENGTH = 10; // characters of 5 bits each
const MAX_SLUG = MAX_LENGTH - HASH_LENGTH - 1;

/**
 * The id of a route that was given none: the same for the same baseline, key and conditions, whatever the target is. It is readable by its
 * first part, and unique by its second.
 */
export function deriveId({ service, from, key, when = [] }: Omit<LiveRoute, "id">): string {
  const baseline = from ?? baselineText(service);
  const identity = JSON.stringify([baseline, key ?? null, when.map(conditionIdentity)]);
  const slug = slugOf([baseline, key ?? (when.length > 0 ? "when" : "split")].join("-"));
  return `${slug.slice(0, MAX_SLUG).replace(/-+$/, "")}-${hashOf(identity)}`;
}

/** Lower case letters and digits with dashes between them. */
export function slugOf(text: string): string {
  const slug = text.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return slug.replace(/^-+|-+$/g, "") || "any";
}

/** A service and a subset of it are different baselines; a cluster is the same one in both ways to write it. */
function baselineText(service: Reference = ""): string {
  if (typeof service === "string") return service;
  if ("cluster" in service) return service.cluster;
  return service.subset === undefined ? service.service : `${service.service}@${service.subset}`;
}

const DIGITS = "0123456789abcdefghijklmnopqrstuv";

function hashOf(identity: string): string {
  const digest = createHash("sha256").update(identity).digest();
  return Array.from(digest.subarray(0, HASH_LENGTH), (byte) => DIGITS[byte & 31]).join("");
}
