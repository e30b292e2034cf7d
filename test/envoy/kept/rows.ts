// One row for each thing that a route can say: the routes, what is asked of them, and what shows that the setting is in force.

import { type Client, instances, type Seen, type Send, tunnel, webSocket } from "./observe.ts";
import { policies, unbuffered } from "./policies.ts";

export interface Row {
  /** Names the setting in the table. */
  setting: string;
  /** The virtual host beside its name and domain. */
  host?: object;
  routes: object[];
  /** Asks and returns what can be compared between requests with a key and without. */
  observe: (send: Send, world: World) => Promise<unknown>;
  /** What the observation of requests without a key has to be, so that the row shows its setting. */
  shows: (seen: never) => unknown;
  /** Whether a target answers keyed requests; not where the proxy answers all of them. */
  answeredByProxy?: true;
  /** Not kept where Keyway stands before the other filters: why. */
  notKeptInFront?: string;
}

export interface World extends Client {
  /** Requests that the mirror has had so far. */
  mirrored: () => number;
}

const prefix = "/";
const base = { cluster: "base" };
const set = (key: string, value: string, append_action = "OVERWRITE_IF_EXISTS_OR_ADD") => ({
  header: { key, value },
  append_action,
});

/** One request, as it is seen. */
const one =
  (call: Parameters<Send>[0] = {}) =>
  (send: Send) =>
    send(call);
const many = (times: number, call: Parameters<Send>[0]) => async (send: Send) => {
  const seen: Seen[] = [];
  for (let i = 0; i < times; i++) seen.push(await send(call));
  return seen;
};
const arrived = (seen: Seen) => seen.arrived as { url: string; headers: Record<string, string> };

const settings: Row[] = [
  {
    setting: "`prefix_rewrite`",
    routes: [{ match: { prefix: "/old" }, route: { ...base, prefix_rewrite: "/new" } }],
    observe: one({ path: "/old/x?y=1" }),
    shows: (seen: Seen) => arrived(seen).url === "/new/x?y=1",
  },
  {
    setting: "`regex_rewrite`",
    routes: [
      {
        match: { safe_regex: { regex: "/api/v\\d+/.*" } },
        route: { ...base, regex_rewrite: { pattern: { regex: "^/api/(v\\d+)" }, substitution: "/\\1" } },
      },
    ],
    observe: one({ path: "/api/v2/x" }),
    shows: (seen: Seen) => arrived(seen).url === "/v2/x",
  },
  {
    setting: "`host_rewrite_literal`",
    routes: [{ match: { prefix }, route: { ...base, host_rewrite_literal: "rewritten.example" } }],
    observe: one(),
    shows: (seen: Seen) => arrived(seen).headers.host === "rewritten.example",
  },
  {
    setting: "`host_rewrite_header`, `append_x_forwarded_host`",
    routes: [{ match: { prefix }, route: { ...base, host_rewrite_header: "x-host", append_x_forwarded_host: true } }],
    observe: one({ headers: { "x-host": "named.example" } }),
    shows: (seen: Seen) =>
      arrived(seen).headers.host === "named.example" && arrived(seen).headers["x-forwarded-host"] !== undefined,
  },
  {
    setting: "`timeout`",
    routes: [{ match: { prefix }, route: { ...base, timeout: "0.3s" } }],
    observe: one({ headers: { "x-delay": "1500" } }),
    shows: (seen: Seen) => seen.status === 504,
    answeredByProxy: true,
  },
  {
    setting: "`max_stream_duration`",
    routes: [
      { match: { prefix }, route: { ...base, timeout: "0s", max_stream_duration: { max_stream_duration: "0.3s" } } },
    ],
    observe: one({ headers: { "x-delay": "1500" } }),
    shows: (seen: Seen) => seen.status === 504 || seen.status === 408,
    answeredByProxy: true,
  },
  {
    setting: "`retry_policy` of the route",
    host: { include_request_attempt_count: true },
    routes: [{ match: { prefix }, route: { ...base, retry_policy: { retry_on: "5xx", num_retries: 3 } } }],
    observe: one({ headers: { "x-fail": "2" } }),
    shows: (seen: Seen) => seen.status === 200 && arrived(seen).headers["x-envoy-attempt-count"] === "3",
  },
  {
    setting: "`retry_policy` of the virtual host",
    host: { retry_policy: { retry_on: "5xx", num_retries: 3 } },
    routes: [{ match: { prefix }, route: base }],
    observe: one({ headers: { "x-fail": "2" } }),
    shows: (seen: Seen) => seen.status === 200,
  },
  {
    setting: "request headers added, set and removed by the route",
    routes: [
      {
        match: { prefix },
        route: base,
        request_headers_to_add: [set("x-set", "route"), set("x-more", "route", "APPEND_IF_EXISTS_OR_ADD")],
        request_headers_to_remove: ["x-drop"],
      },
    ],
    observe: one({ headers: { "x-set": "client", "x-more": "client", "x-drop": "1" } }),
    shows: (seen: Seen) => {
      const { headers } = arrived(seen);
      return headers["x-set"] === "route" && headers["x-more"]?.includes("route") && !("x-drop" in headers);
    },
  },
  {
    setting: "request headers by the virtual host",
    host: { request_headers_to_add: [set("x-host-says", "1")], request_headers_to_remove: ["x-drop"] },
    routes: [{ match: { prefix }, route: base }],
    observe: one({ headers: { "x-drop": "1" } }),
    shows: (seen: Seen) => arrived(seen).headers["x-host-says"] === "1" && !("x-drop" in arrived(seen).headers),
  },
  {
    setting: "response headers added and removed by the route",
    routes: [
      {
        match: { prefix },
        route: base,
        response_headers_to_add: [set("x-answer", "route")],
        response_headers_to_remove: ["x-from-app"],
      },
    ],
    observe: one(),
    shows: ({ answer }: Seen) => answer["x-answer"] === "route" && !("x-from-app" in answer),
  },
  {
    setting: "the route's name in logs and headers",
    routes: [
      { name: "by-name", match: { prefix }, route: base, response_headers_to_add: [set("x-route", "%ROUTE_NAME%")] },
    ],
    observe: one(),
    shows: ({ answer }: Seen) => answer["x-route"] === "by-name",
  },
  {
    setting: "`request_mirror_policies`",
    routes: [{ match: { prefix }, route: { ...base, request_mirror_policies: [{ cluster: "mirror" }] } }],
    observe: async (send, { mirrored }) => {
      const before = mirrored();
      for (let i = 0; i < 3; i++) await send();
      for (let i = 0; i < 40 && mirrored() < before + 3; i++) await new Promise((next) => setTimeout(next, 25));
      return mirrored() - before;
    },
    shows: (mirrored: number) => mirrored === 3,
  },
  {
    setting: "`weighted_clusters`, header operations and host of the entries",
    routes: [
      {
        match: { prefix },
        route: {
          weighted_clusters: {
            clusters: [
              { name: "base", weight: 50, request_headers_to_add: [set("x-entry", "one")] },
              { name: "base", weight: 50, host_rewrite_literal: "two.example" },
            ],
          },
        },
      },
    ],
    observe: async (send) => {
      const seen = await many(40, {})(send);
      return [...new Set(seen.map((each) => JSON.stringify(pick(arrived(each).headers))))].sort();
    },
    shows: (kinds: string[]) => kinds.length === 2,
  },
  {
    setting: "`hash_policy`, where the target's cluster hashes, too",
    routes: [{ match: { prefix }, route: { ...base, hash_policy: [{ header: { header_name: "x-user" } }] } }],
    observe: async (_, world) => (await instances(world)).size,
    shows: (number: number) => number === 1,
  },
  {
    setting: "`redirect`",
    routes: [{ match: { prefix }, redirect: { path_redirect: "/elsewhere" } }],
    observe: one(),
    shows: ({ status, answer }: Seen) => status === 301 && String(answer.location).endsWith("/elsewhere"),
    answeredByProxy: true,
  },
  {
    setting: "`direct_response`",
    routes: [{ match: { prefix }, direct_response: { status: 418, body: { inline_string: "" } } }],
    observe: one(),
    shows: ({ status }: Seen) => status === 418,
    answeredByProxy: true,
  },
  {
    setting: "`internal_redirect_policy`",
    routes: [
      {
        match: { prefix },
        route: { ...base, internal_redirect_policy: { max_internal_redirects: 2 } },
      },
    ],
    observe: one({ path: "/moved" }),
    shows: (seen: Seen) => seen.status === 200 && arrived(seen).url === "/landed",
  },
  {
    setting: "match by path, prefix, path-separated prefix and regex",
    routes: [
      labelled("exact", { path: "/exact" }),
      labelled("separated", { path_separated_prefix: "/part" }),
      labelled("regex", { safe_regex: { regex: "/[0-9]+" } }),
      labelled("prefix", { prefix: "/exact" }),
      labelled("rest", { prefix }),
    ],
    observe: async (send) => {
      const paths = ["/exact", "/exact/x", "/part/x", "/partial", "/42", "/"];
      return await labels(send, ...paths.map((path) => ({ path })));
    },
    shows: (seen: string[]) => seen.join() === "exact,prefix,separated,rest,regex,rest",
  },
  {
    setting: "match by method, header and query",
    routes: [
      labelled("method", { prefix, headers: [{ name: ":method", string_match: { exact: "POST" } }] }),
      labelled("header", { prefix, headers: [{ name: "x-user", string_match: { prefix: "al" } }] }),
      labelled("query", { prefix, query_parameters: [{ name: "q", string_match: { exact: "1" } }] }),
      labelled("rest", { prefix }),
    ],
    observe: async (send) =>
      await labels(send, { method: "POST" }, { headers: { "x-user": "alice" } }, { path: "/?q=1" }, { path: "/?q=2" }),
    shows: (seen: string[]) => seen.join() === "method,header,query,rest",
  },
  {
    setting: "WebSocket by the route's `upgrade_configs`",
    routes: [
      {
        match: { prefix },
        route: { ...base, upgrade_configs: [{ upgrade_type: "websocket" }] },
        typed_per_filter_config: unbuffered,
      },
    ],
    observe: (_, world) => webSocket(world),
    shows: (heard: string) => heard === "base heard hi",
  },
  {
    setting: "CONNECT by `connect_matcher`, ended by the proxy",
    routes: [
      {
        match: { connect_matcher: {} },
        route: { ...base, upgrade_configs: [{ upgrade_type: "CONNECT", connect_config: {} }] },
        typed_per_filter_config: unbuffered,
      },
    ],
    observe: (_, world) => tunnel(world),
    shows: (answer: string) => answer === "base /inside",
  },
];

export const rows: readonly Row[] = [...settings, ...policies];

/** A route whose answers say which one it was. */
function labelled(label: string, match: object) {
  return { match, route: base, response_headers_to_add: [set("x-label", label)] };
}

async function labels(send: Send, ...calls: Parameters<Send>[0][]) {
  const seen: unknown[] = [];
  for (const call of calls) seen.push((await send(call)).answer["x-label"]);
  return seen;
}

function pick({ host, "x-entry": entry }: Record<string, string>) {
  return { rewritten: host === "two.example", entry };
}
