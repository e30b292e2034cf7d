import type { LiveRoute } from "../../routes/model/live-route.ts";
import type { Reference } from "../../routes/model/model.ts";

type Ends = Pick<LiveRoute, "service" | "from" | "to" | "split">;

/** The baseline of a route, for people. */
export function baselineText({ service, from }: Ends): string {
  return from === undefined ? referenceText(service) : `cluster ${from}`;
}

/** The target of a route, or its targets, for people. */
export function targetText({ from, to, split }: Ends): string {
  if (split) return split.map(({ to, weight }) => `${weight} % ${referenceText(to)}`).join(", ");
  return from !== undefined && typeof to === "string" ? `cluster ${to}` : referenceText(to);
}

function referenceText(reference: Reference = ""): string {
  if (typeof reference === "string") return reference;
  if ("cluster" in reference) return `cluster ${reference.cluster}`;
  return reference.subset === undefined ? reference.service : `${reference.service} subset ${reference.subset}`;
}
