// Services, subsets and clusters as people type and read them: `reviews:9080`, `reviews@v2`, `cluster:NAME`.
import type { Reference, Share } from "../../routes/model/model.ts";

const CLUSTER = "cluster:";

/** What the text names; whether there can be such a name is for the schema of routes to say. */
export function parseReference(text: string): Reference {
  if (text.startsWith(CLUSTER)) return { cluster: text.slice(CLUSTER.length) };
  const at = text.lastIndexOf("@");
  return at < 0 ? text : { service: text.slice(0, at), subset: text.slice(at + 1) };
}

export function formatReference(reference: Reference): string {
  if (typeof reference === "string") return reference;
  if ("cluster" in reference) return `${CLUSTER}${reference.cluster}`;
  return reference.subset === undefined ? reference.service : `${reference.service}@${reference.subset}`;
}

/** `TARGET=PERCENT`; undefined for anything else. */
export function parseShare(text: string): { to: string; weight: number } | undefined {
  const [, to, weight] = /^(.+)=(\d+(?:\.\d+)?)%?$/s.exec(text) ?? [];
  return to === undefined ? undefined : { to, weight: Number(weight) };
}

export function formatShares(split: readonly Share<Reference>[]): string {
  return split.map(({ to, weight }) => `${formatReference(to)} ${weight}%`).join(", ");
}
