// What a route starts from and leads to, as schemas.
import { z } from "zod";
import { object, optional, text } from "../model/fields.ts";
import { ANY_BASELINE } from "../model/names.ts";
import { cluster } from "../model/schema.ts";
import { parseHostName, parseServiceName } from "../model/service.ts";

/** Where a route from a cluster starts. */
export const clusterBaseline = cluster.meta({
  description: "The baseline: the cluster that Envoy's own route gives, or * for any.",
});

const MAX_SERVICE = 400; // bytes: the longest DNS name and a port's name
const service = text(MAX_SERVICE, "a service").refine(
  (name) => name === ANY_BASELINE || parseServiceName(name) !== undefined || parseHostName(name) !== undefined,
  "not a service's name; expected NAME[.NAMESPACE[.svc.DOMAIN]][:PORT]",
);
const named = service
  .refine((name) => name !== ANY_BASELINE, "a target needs a name")
  .meta({
    description:
      "A service, NAME[.NAMESPACE[.svc.DOMAIN]][:PORT number or name], or a host of a ServiceEntry, HOST[:PORT].",
  });
const inCluster = object({
  cluster: cluster.meta({ description: "The name of an Envoy cluster, passed through as it is." }),
});
const inSubset = object({
  service: named,
  subset: optional(text(63), "The name of a subset that a DestinationRule declares for the service."),
});

/** Where a route from a service starts. */
export const serviceBaseline = z
  .union([service, inSubset, inCluster])
  .meta({ description: "The baseline: a service, a subset of one, a cluster, or * for any." });

/** Where a route from a service leads. */
export const serviceTarget = z.union([named, inSubset, inCluster]);
