// The twin of one route: the same for selected requests alone, but for the cluster, which is the selected one.
import { GUARDS } from "../../routes/model/guard.ts";
import { HEADER_CLUSTER } from "../../routes/model/names.ts";
import { withHeaders } from "./headers.ts";
import {
  field,
  isMessage,
  keyOf,
  type Message,
  messages,
  respelled,
  type Spelling,
  spelled,
  withField,
  withoutFields,
} from "./spelling.ts";

export interface Mutations {
  /** Header operations as Envoy's `HeaderValueOption`, in snake_case. */
  request: readonly object[];
  response: readonly object[];
}

export type Twin = { twin: Message } | { why: string };

const PLUGINS = ["cluster_specifier_plugin", "inline_cluster_specifier_plugin"];
const CLUSTERS = ["cluster", "cluster_header", "weighted_clusters"];

/** The twin of a route, or why it has none; undefined for a route that forwards nothing, such as a redirect. */
export function twinOf(route: Message, mutations: Mutations, spelling: Spelling): Twin | undefined {
  const action = field(route, "route");
  if (!isMessage(action)) return undefined;
  const forwarded = selected(action, spelling);
  if ("why" in forwarded) return forwarded;
  const guarded = withField(route, "match", guardedMatch(field(route, "match"), spelling), spelling);
  const forwarding = withField(guarded, "route", forwarded.action, spelling);
  const marked = withHeaders(forwarding, "request_headers_to_add", mutations.request, spelling);
  return { twin: withHeaders(marked, "response_headers_to_add", mutations.response, spelling) };
}

/** The route's own match and Keyway's guards, which stand first: they tell other requests apart at once. */
function guardedMatch(match: unknown, spelling: Spelling): Message {
  let merged = isMessage(match) ? match : {};
  for (const [name, guards] of Object.entries(GUARDS))
    merged = withField(merged, name, [...respelled(guards, spelling), ...messages(merged, name)], spelling);
  return merged;
}

function selected(action: Message, spelling: Spelling): { action: Message } | { why: string } {
  if (PLUGINS.some((name) => keyOf(action, name)))
    return { why: "a cluster specifier plugin chooses its cluster and may change more of the route than that" };
  const name = CLUSTERS.find((cluster) => keyOf(action, cluster));
  if (name === undefined) return { why: "it names no cluster" };
  const weighted = field(action, "weighted_clusters");
  if (!isMessage(weighted) || !weightsMatter(weighted)) return { action: inPlace(action, name, spelling) };
  if (keyOf(weighted, "runtime_key_prefix"))
    return {
      why: "its weights come from runtime keys by the clusters' names, and the clusters have settings of their own",
    };
  const entries = messages(weighted, "clusters").map((entry) => inPlace(entry, "name", spelling));
  const clusters = withField(weighted, "clusters", entries, spelling);
  return { action: withField(action, "weighted_clusters", clusters, spelling) };
}

/** Whether it makes a difference to a request, beside its destination, which of the clusters it went to. */
function weightsMatter(weighted: Message): boolean {
  const plain = ["name", "cluster_header", "weight"];
  return messages(weighted, "clusters").some((entry) => Object.keys(withoutFields(entry, plain)).length > 0);
}

/** The message with the selection header in the place of what names its cluster. */
function inPlace(message: Message, name: string, spelling: Spelling): Message {
  const old = keyOf(message, name) ?? keyOf(message, "cluster_header");
  const entries = Object.entries(message).map(([key, value]) =>
    key === old ? [spelled("cluster_header", spelling), HEADER_CLUSTER] : [key, value],
  );
  return Object.fromEntries(entries);
}
