// The metrics of the filter, by the names that filter and command share.
import * as names from "../../routes/model/names.ts";
import { code, page, table } from "./markdown.ts";

const MEANING: Record<string, string> = {
  [names.METRIC_ROUTED]: "requests for which a target was selected",
  [names.METRIC_BASELINE]: "requests with a key that has no route for their destination",
  [names.METRIC_NO_KEY]: "requests that carry no key and that no other route takes",
  [names.METRIC_INVALID_KEY]: "requests whose sources hold something that is no key",
  [names.METRIC_MISSING_TARGET]:
    "requests whose target is missing, so that they stayed with the baseline or were refused",
  [names.METRIC_ALREADY_ROUTED]: "requests that had arrived at their target, so that the hop mark came off",
  [names.METRIC_REMEMBERED]: "requests that came in with a key and the id of a trace, so that the key is remembered",
  [names.METRIC_UNTRACED]:
    "requests that came in with a key but without the id of a trace: what the service sends on without the key can't be recovered",
  [names.METRIC_RECOVERED]: "requests that went out without a key and had that of their trace given back",
  [names.METRIC_UNRECOVERED]:
    "requests that went out without a key and in no trace that is remembered, while keys had come in lately: those of traces without a key, and " +
    "those whose service hands on neither the key nor the trace",
  [names.METRIC_UNRECOVERED_UNTRACED]:
    "those of the unrecovered that had no id of a trace, or a request id alone, which Envoy gives to every request that has none: the service hands on " +
    "nothing that its trace came in with",
  [names.METRIC_FORWARDED]: "requests that went out with a key of their own: the service hands it on",
  ...Object.fromEntries(
    Object.entries(names).flatMap(([name, value]) =>
      name.startsWith("METRIC_RECOVERED_")
        ? [[value, "those of the recovered that were known by the id in this header"]]
        : [],
    ),
  ),
  [names.METRIC_EVICTED]: "traces that were forgotten before their time, since others came in",
  [names.METRIC_CONFLICTS]: "times that a trace came in with another key than before, or without one",
  [names.METRIC_KEYS_REMOVED]: "keys from outside without a signature that were taken off",
  [names.METRIC_KEYS_FORGED]:
    "signed keys whose signature is not that of the key that they name, or could not be verified since the request had too many of them",
  [names.METRIC_KEYS_EXPIRED]: "signed keys whose time is over",
  [names.METRIC_KEYS_FOREIGN]:
    "signed keys that name a key which is not there, and those that are meant for other services than the request's destination",
  [names.METRIC_TABLE_ROUTES]: "the routes of the table that was configured last",
  [names.METRIC_TABLE_VERSION]: "the number of that table in this process",
  [names.METRIC_TABLE_AGE]:
    "seconds since the route server last confirmed the live table, of several tables the longest; a server with nothing new " +
    "confirms one every 20 seconds",
  [names.METRIC_TABLE_ERRORS]: "questions to the route server that brought no page of the table that could be used",
  [names.METRIC_TABLE_CHANGES]: "changes of live tables that have come into force",
  [names.METRIC_CONFIG_REJECTED]: "1 while the newest configuration of a plugin is not the one that serves",
};

export function metricReference(): string {
  const all = Object.entries(names)
    .flatMap(([name, value]) => (name.startsWith("METRIC_") ? [String(value)] : []))
    .sort();
  return page(
    "Metrics",
    "The filter's own metrics. Envoy shows them under its prefix `wasmcustom.`, in Prometheus' form as `wasmcustom_…`. " +
      "Each request that the filter sees counts in one of the counters of outcomes (routed, baseline, no_key, invalid_key, missing_target, " +
      "already_routed). Those of traces count only where `trace` is among the keys, those of keys only where there is an `edge`.",
    table(
      ["metric", "kind", "meaning"],
      all.map((name) => [
        code(name),
        /_requests_|_traces_|_keys_|_errors$|_changes$/.test(name) ? "counter" : "gauge",
        meaningOf(name),
      ]),
    ),
  );
}

function meaningOf(name: string): string {
  const meaning = MEANING[name];
  if (meaning === undefined) throw new Error(`scripts/docs/metrics.ts does not say what ${name} means`);
  return meaning;
}
