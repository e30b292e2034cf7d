// The features of a VirtualService, each with a request that shows it.
import type { Resource } from "./bed/api.ts";
import { destinationOf, gatewayObject, virtualServiceObject } from "./bed/objects.ts";

export const NAMESPACE = "kept";

export type Feature = {
  name: string;
  /** As the table names it. */
  setting: string;
  /** One entry of the VirtualService's `http`, without its destination. */
  http: Record<string, unknown>;
  /** Default: all of it to `reviews`. */
  route?: unknown[];
  request?: { path?: string; method?: string; headers?: Record<string, string> };
  /** Headers that the application must see alike, and headers of the answer. */
  application?: string[];
  answer?: string[];
  /** How often it is asked; default once. */
  times?: number;
  /** Milliseconds that show a delay. */
  slow?: number;
  /** The application that has to have had a copy. */
  mirror?: string;
};

const destination = (name: string) => destinationOf(NAMESPACE, name);

export const hostOf = (name: string): string => `f-${name}.${NAMESPACE}.svc.cluster.local:9080`;

export const FEATURES: Feature[] = [
  { name: "plain", setting: "none of them", http: {}, application: ["host", "x-forwarded-proto"] },
  {
    name: "rewrite",
    setting: "`rewrite.uri`",
    http: { match: [{ uri: { prefix: "/old" } }], rewrite: { uri: "/new" } },
    request: { path: "/old/x?y=1" },
  },
  {
    name: "regex",
    setting: "`rewrite.uriRegexRewrite`",
    http: { rewrite: { uriRegexRewrite: { match: "^/api/v1/(.*)$", rewrite: "/v2/\\1" } } },
    request: { path: "/api/v1/x" },
  },
  {
    name: "authority",
    setting: "`rewrite.authority`",
    http: { rewrite: { authority: "rewritten.example.com" } },
    application: ["host"],
  },
  {
    name: "request-headers",
    setting: "`headers.request` (set, add, remove)",
    http: { headers: { request: { set: { "x-set": "vs" }, add: { "x-add": "vs" }, remove: ["x-drop"] } } },
    request: { headers: { "x-set": "client", "x-drop": "1" } },
    application: ["x-set", "x-add", "x-drop"],
  },
  {
    name: "destination-headers",
    setting: "`headers.request` of one destination",
    http: {},
    route: [{ ...destination("reviews"), headers: { request: { set: { "x-dest": "vs" } } } }],
    application: ["x-dest"],
  },
  {
    name: "response-headers",
    setting: "`headers.response` (set, remove)",
    http: { headers: { response: { set: { "x-resp": "vs" }, remove: ["x-from-app"] } } },
    answer: ["x-resp", "x-from-app"],
  },
  {
    name: "timeout",
    setting: "`timeout`",
    http: { timeout: "0.3s" },
    request: { headers: { "x-echo-delay": "1500" } },
  },
  {
    name: "retries",
    setting: "`retries`",
    http: { retries: { attempts: 3, retryOn: "5xx" } },
    request: { headers: { "x-echo-failures": "2" } },
  },
  {
    name: "cors",
    setting: "`corsPolicy`, the request",
    http: { corsPolicy: { allowOrigins: [{ exact: "https://shop.example.com" }], allowMethods: ["GET"] } },
    request: { headers: { origin: "https://shop.example.com" } },
    answer: ["access-control-allow-origin"],
  },
  {
    name: "preflight",
    setting: "`corsPolicy`, the preflight",
    http: { corsPolicy: { allowOrigins: [{ exact: "https://shop.example.com" }], allowMethods: ["GET"] } },
    request: {
      method: "OPTIONS",
      headers: { origin: "https://shop.example.com", "access-control-request-method": "GET" },
    },
    answer: ["access-control-allow-origin", "access-control-allow-methods"],
  },
  {
    name: "delay",
    setting: "`fault.delay`",
    http: { fault: { delay: { fixedDelay: "0.7s", percentage: { value: 100 } } } },
    slow: 600,
  },
  {
    name: "abort",
    setting: "`fault.abort`",
    http: { fault: { abort: { httpStatus: 418, percentage: { value: 100 } } } },
  },
  {
    name: "mirror",
    setting: "`mirror`",
    http: { mirror: destination("ratings").destination, mirrorPercentage: { value: 100 } },
    mirror: "ratings",
  },
  {
    name: "weights",
    setting: "weights",
    http: {},
    route: [
      { ...destination("reviews"), weight: 50 },
      { ...destination("ratings"), weight: 50 },
    ],
    times: 24,
  },
  {
    name: "redirect",
    setting: "`redirect`",
    http: { redirect: { uri: "/elsewhere", redirectCode: 302 } },
    route: [],
    answer: ["location"],
  },
  {
    name: "direct",
    setting: "`directResponse`",
    http: { directResponse: { status: 418, body: { string: "a teapot" } } },
    route: [],
  },
  {
    name: "path",
    setting: "match by path",
    http: { match: [{ uri: { exact: "/only" } }] },
    request: { path: "/only" },
  },
  {
    name: "method",
    setting: "match by method",
    http: { match: [{ method: { exact: "PUT" } }] },
    request: { method: "PUT" },
  },
  {
    name: "header",
    setting: "match by header",
    http: { match: [{ headers: { "x-tier": { exact: "gold" } } }] },
    request: { headers: { "x-tier": "gold" } },
  },
  {
    name: "query",
    setting: "match by query",
    http: { match: [{ queryParams: { tier: { exact: "gold" } } }] },
    request: { path: "/?tier=gold" },
  },
];

export function virtualServices(): Resource[] {
  const services = FEATURES.map(({ name, http, route = [destination("reviews")] }) =>
    virtualServiceObject(NAMESPACE, {
      name: `f-${name}`,
      host: `f-${name}`,
      gateways: ["mesh", "front"],
      http: [{ ...http, ...(route.length > 0 && { route }) }],
    }),
  );
  return [gatewayObject(NAMESPACE, "front"), ...services];
}
