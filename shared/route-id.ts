import type { LiveRoute } from "../routes/model/live-route.ts";
import type { Reference } from "../routes/model/model.ts";
import { conditionIdentity } from "../routes/reading/duplicates.ts";
import { shortName } from "./short-name.ts";

/**
 * The id of a route that was given none: the same for the same baseline, key and conditions, whatever the target is. It can be the name of a
 * Kubernetes resource.
 */
export function deriveId({ service, from, key, when = [] }: Omit<LiveRoute, "id">): string {
  const baseline = from ?? baselineText(service);
  const identity = JSON.stringify([baseline, key ?? null, when.map(conditionIdentity)]);
  return shortName([baseline, key ?? (when.length > 0 ? "when" : "split")].join("-"), identity);
}

/** A service and a subset of it are different baselines; a cluster is the same one in both ways to write it. */
function baselineText(service: Reference = ""): string {
  if (typeof service === "string") return service;
  if ("cluster" in service) return service.cluster;
  return service.subset === undefined ? service.service : `${service.service}@${service.subset}`;
}
