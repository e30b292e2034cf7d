// Rows for what HTTP filters do by the settings of one route.
import { generateKeyPairSync, sign } from "node:crypto";
import type { Seen, Send } from "./observe.ts";
import type { Row } from "./rows.ts";

const type = (name: string) => `type.googleapis.com/envoy.extensions.filters.http.${name}`;
const match = { prefix: "/" };
const route = { cluster: "base" };

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const signed = `${encoded({ alg: "RS256", kid: "1" })}.${encoded({ iss: "issuer", exp: 4_000_000_000 })}`;
const TOKEN = `${signed}.${sign("RSA-SHA256", Buffer.from(signed), privateKey).toString("base64url")}`;
const jwks = { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "1", alg: "RS256" }] };

/** The filters of the connection manager, in their order; each does nothing unless a route says so. */
export function filters(authorizationPort: number) {
  return [
    { name: "cors", typed_config: { "@type": type("cors.v3.Cors") } },
    { name: "fault", typed_config: { "@type": type("fault.v3.HTTPFault") } },
    {
      name: "jwt",
      typed_config: {
        "@type": type("jwt_authn.v3.JwtAuthentication"),
        providers: { issuer: { issuer: "issuer", forward: true, local_jwks: { inline_string: JSON.stringify(jwks) } } },
        requirement_map: { demanded: { provider_name: "issuer" } },
      },
    },
    {
      name: "ext_authz",
      typed_config: {
        "@type": type("ext_authz.v3.ExtAuthz"),
        http_service: {
          server_uri: { uri: `http://127.0.0.1:${authorizationPort}`, cluster: "authorization", timeout: "2s" },
          authorization_request: { allowed_headers: { patterns: [{ exact: "x-user" }] } },
        },
      },
    },
    { name: "rbac", typed_config: { "@type": type("rbac.v3.RBAC") } },
    {
      name: "local_ratelimit",
      typed_config: { "@type": type("local_ratelimit.v3.LocalRateLimit"), stat_prefix: "all" },
    },
    { name: "buffer", typed_config: { "@type": type("buffer.v3.Buffer"), max_request_bytes: 1_000_000 } },
    { name: "header_mutation", typed_config: { "@type": type("header_mutation.v3.HeaderMutation") } },
  ];
}

/** Of the route configuration: the authorization server is asked only where a route says so. */
export const usually = {
  ext_authz: { "@type": type("ext_authz.v3.ExtAuthzPerRoute"), disabled: true },
};

/** For connections that both sides go on writing to. */
export const unbuffered = { buffer: { "@type": type("buffer.v3.BufferPerRoute"), disabled: true } };

const percent = (numerator: number) => ({ numerator, denominator: "HUNDRED" });
const withFilter = (name: string, settings: object) => [
  { match, route, typed_per_filter_config: { [name]: settings } },
];
const each =
  (...calls: Parameters<Send>[0][]) =>
  async (send: Send) => {
    const seen: Seen[] = [];
    for (const call of calls) seen.push(await send(call));
    return seen;
  };
const statuses = (seen: Seen[]) => seen.map(({ status }) => status).join();

export const policies: Row[] = [
  {
    setting: "CORS, request and preflight (`cors`)",
    routes: withFilter("cors", {
      "@type": type("cors.v3.CorsPolicy"),
      allow_origin_string_match: [{ exact: "https://a.example" }],
      allow_methods: "GET",
      expose_headers: "x-from-app",
    }),
    observe: each(
      { headers: { origin: "https://a.example" } },
      { method: "OPTIONS", headers: { origin: "https://a.example", "access-control-request-method": "GET" } },
    ),
    shows: ([asked, preflight]: Seen[]) =>
      asked?.answer["access-control-allow-origin"] === "https://a.example" &&
      preflight?.answer["access-control-allow-methods"] === "GET" &&
      preflight.service === "",
  },
  {
    setting: "faults: abort (`fault`)",
    routes: withFilter("fault", {
      "@type": type("fault.v3.HTTPFault"),
      abort: { http_status: 418, percentage: percent(100) },
    }),
    observe: each({}),
    shows: (seen: Seen[]) => statuses(seen) === "418",
    answeredByProxy: true,
  },
  {
    setting: "faults: delay (`fault`)",
    routes: withFilter("fault", {
      "@type": type("fault.v3.HTTPFault"),
      delay: { fixed_delay: "0.3s", percentage: percent(100) },
    }),
    observe: async (send) => {
      const began = performance.now();
      const seen = await send();
      return { seen, delayed: performance.now() - began >= 290 };
    },
    shows: ({ delayed }: { delayed: boolean }) => delayed,
  },
  {
    setting: "a token that the route demands (`jwt_authn`)",
    routes: withFilter("jwt", { "@type": type("jwt_authn.v3.PerRouteConfig"), requirement_name: "demanded" }),
    observe: each(
      {},
      { headers: { authorization: `Bearer ${TOKEN}` } },
      { headers: { authorization: `Bearer ${TOKEN}x` } },
    ),
    shows: (seen: Seen[]) => statuses(seen) === "401,200,401",
  },
  {
    setting: "an authorization server that the route asks (`ext_authz`)",
    routes: withFilter("ext_authz", { "@type": type("ext_authz.v3.ExtAuthzPerRoute"), check_settings: {} }),
    observe: each({ headers: { "x-user": "mallory" } }, { headers: { "x-user": "alice" } }),
    shows: (seen: Seen[]) => statuses(seen) === "403,200",
  },
  {
    setting: "an authorization server that the route does not ask",
    host: {
      typed_per_filter_config: { ext_authz: { "@type": type("ext_authz.v3.ExtAuthzPerRoute"), check_settings: {} } },
    },
    routes: [
      { match: { prefix: "/open" }, route, typed_per_filter_config: usually },
      { match, route },
    ],
    observe: each({ path: "/open", headers: { "x-user": "mallory" } }, { headers: { "x-user": "mallory" } }),
    shows: (seen: Seen[]) => statuses(seen) === "200,403",
  },
  {
    setting: "access rules of the route (`rbac`)",
    routes: withFilter("rbac", {
      "@type": type("rbac.v3.RBACPerRoute"),
      rbac: {
        rules: {
          action: "DENY",
          policies: {
            admin: { permissions: [{ url_path: { path: { prefix: "/admin" } } }], principals: [{ any: true }] },
          },
        },
      },
    }),
    observe: each({ path: "/admin/x" }, { path: "/x" }),
    shows: (seen: Seen[]) => statuses(seen) === "403,200",
  },
  {
    setting: "a limit of the route's own: no second allowance for a key (`local_ratelimit`)",
    routes: withFilter("local_ratelimit", {
      "@type": type("local_ratelimit.v3.LocalRateLimit"),
      stat_prefix: "route",
      token_bucket: { max_tokens: 2, tokens_per_fill: 2, fill_interval: "600s" },
      filter_enabled: { default_value: percent(100) },
      filter_enforced: { default_value: percent(100) },
    }),
    // Requests without a key come first and take what there is, so that both kinds are refused from then on.
    observe: async (send, { keyed }) => {
      if (!keyed) await each({}, {})(send);
      return await each({}, {})(send);
    },
    shows: (seen: Seen[]) => statuses(seen) === "429,429",
    answeredByProxy: true,
    notKeptInFront: "the twin has a bucket of its own",
  },
  {
    setting: "the largest body (`buffer`)",
    routes: withFilter("buffer", { "@type": type("buffer.v3.BufferPerRoute"), buffer: { max_request_bytes: 10 } }),
    observe: each({ method: "POST", body: "short" }, { method: "POST", body: "more than ten bytes" }),
    shows: (seen: Seen[]) => statuses(seen) === "200,413",
  },
  {
    setting: "headers by a filter (`header_mutation`)",
    routes: withFilter("header_mutation", {
      "@type": type("header_mutation.v3.HeaderMutationPerRoute"),
      mutations: {
        request_mutations: [{ append: { header: { key: "x-mutated", value: "1" } } }],
        response_mutations: [{ remove: "x-from-app" }],
      },
    }),
    observe: each({}),
    shows: ([seen]: Seen[]) =>
      JSON.stringify(seen?.arrived).includes("x-mutated") && seen?.answer["x-from-app"] === undefined,
  },
];
