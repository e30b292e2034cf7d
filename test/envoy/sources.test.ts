import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bed, startBed } from "./bed/bed.ts";
import { type Ask, connection, type HeaderList } from "./bed/client.ts";

const ISTIO = "outbound|9080||reviews.demo.svc.cluster.local";

let bed: Bed;
beforeAll(async () => {
  bed = await startBed({
    config: {
      keys: [
        "header:x-routing-key",
        "baggage:preview",
        "tracestate:acme",
        "cookie:preview",
        "query:preview",
        "host:.preview.example.com",
        "overrides:x-versions",
        "jwt:sandbox",
        "signadot",
        "bridge",
        "overrides",
        "okteto",
        "mirrord",
        "telepresence",
      ],
      routes: [
        { from: "reviews", key: "pr-42", to: "sandbox" },
        { from: ISTIO, key: "pr-42", to: "sandbox" },
      ],
    },
    baselines: { "/": "reviews", "/istio": ISTIO, "/ratings": "ratings" },
    targets: ["sandbox"],
  });
});
afterAll(() => bed.stop());

/** A token as an issuer makes it; the filter does not verify the signature. */
function token(payload: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256", typ: "JWT" })}.${part(payload)}.c2lnbmF0dXJl`;
}

const SELECTING: Record<string, Ask> = {
  "header:NAME": { headers: { "x-routing-key": "pr-42" } },
  "header:NAME in another case": { headers: { "X-Routing-KEY": "pr-42" } },
  "header:NAME, one of several values": { headers: { "x-routing-key": "other, pr-42 ,third" } },
  "header:NAME, repeated": {
    headers: [
      ["x-routing-key", "other"],
      ["x-routing-key", "pr-42"],
    ],
  },
  "baggage:MEMBER": { headers: { baggage: "preview=pr-42" } },
  "baggage:MEMBER among others": { headers: { baggage: "user=1,  preview = pr-42 , tail=2" } },
  "baggage:MEMBER percent-encoded": { headers: { baggage: "preview=pr%2D42" } },
  "baggage:MEMBER with properties": { headers: { baggage: "preview=pr-42;ttl=5;secret" } },
  "baggage:MEMBER in a second header": {
    headers: [
      ["baggage", "user=1"],
      ["baggage", "preview=pr-42"],
    ],
  },
  "tracestate:VENDOR": { headers: { tracestate: "rojo=00f067aa0ba902b7,acme=pr-42" } },
  "cookie:NAME": { headers: { cookie: "theme=dark; preview=pr-42; z=1" } },
  "query:NAME": { path: "/page?a=1&preview=pr-42&b=2" },
  "query:NAME percent-encoded": { path: "/page?preview=pr%2d42" },
  "host:SUFFIX": { headers: { host: "pr-42.preview.example.com" } },
  "host:SUFFIX with a port": { headers: { host: "pr-42.preview.example.com:8443" } },
  "overrides:HEADER": { headers: { "x-versions": "ratings:v9, reviews:pr-42" } },
  "overrides:HEADER by an Istio service's short name": { path: "/istio", headers: { "x-versions": "reviews:pr-42" } },
  "overrides:HEADER by its full name": {
    path: "/istio",
    headers: { "x-versions": "reviews.demo.svc.cluster.local:pr-42" },
  },
  "jwt:CLAIM": { headers: { authorization: `Bearer ${token({ sub: "u1", sandbox: "pr-42" })}` } },
  "signadot, baggage": { headers: { baggage: "sd-routing-key=pr-42" } },
  "signadot, tracestate": { headers: { tracestate: "sd-routing-key=pr-42" } },
  "signadot, ot-baggage": { headers: { "ot-baggage-sd-routing-key": "pr-42" } },
  "signadot, uberctx": { headers: { "uberctx-sd-routing-key": "pr-42" } },
  bridge: { headers: { "kubernetes-route-as": "pr-42" } },
  overrides: { headers: { "x-override": "reviews:pr-42" } },
  okteto: { headers: { baggage: "okteto-divert=pr-42" } },
  mirrord: { headers: { baggage: "mirrord-session=pr-42" } },
  telepresence: { headers: { "x-telepresence-intercept-id": "pr-42" } },
};

test.each(Object.entries(SELECTING))("%s gives the key", async (_, what) => {
  const { status, service } = await bed.ask(what);
  expect({ status, service }).toEqual({ status: 200, service: "sandbox" });
});

const NOT_SELECTING: Record<string, Ask> = {
  "another header": { headers: { "x-routing-keys": "pr-42" } },
  "a key in another case": { headers: { "x-routing-key": "PR-42" } },
  "a prefix of the key": { headers: { "x-routing-key": "pr-4" } },
  "a longer key": { headers: { "x-routing-key": "pr-420" } },
  "a member whose name only ends alike": { headers: { baggage: "x-preview=pr-42" } },
  "a member whose name differs in case": { headers: { baggage: "Preview=pr-42" } },
  "a baggage property": { headers: { baggage: "user=1;preview=pr-42" } },
  "a cookie whose name only ends alike": { headers: { cookie: "mypreview=pr-42" } },
  "a parameter whose name only ends alike": { path: "/?xpreview=pr-42" },
  "a parameter in the fragment of the path": { path: "/preview=pr-42" },
  "two labels before the suffix": { headers: { host: "pr-42.eu.preview.example.com" } },
  "the bare suffix": { headers: { host: "preview.example.com" } },
  "an override of another service": { headers: { "x-versions": "ratings:pr-42" } },
  "a claim within another claim": { headers: { authorization: `Bearer ${token({ inner: { sandbox: "pr-42" } })}` } },
  "a token that is not a bearer token": { headers: { authorization: `Basic ${token({ sandbox: "pr-42" })}` } },
};

test.each(Object.entries(NOT_SELECTING))("%s does not give the key", async (_, what) => {
  const { status, service } = await bed.ask(what);
  expect({ status, service }).toEqual({ status: 200, service: "reviews" });
});

test("the first candidate that has a route for this destination wins, in the order of the sources", async () => {
  const headers = { "x-routing-key": "unknown", baggage: "preview=unknown-too", "kubernetes-route-as": "pr-42" };
  expect((await bed.ask({ headers })).service).toBe("sandbox");
});

test("a key without a route for this destination leaves the baseline", async () => {
  expect((await bed.keyed("pr-42", { path: "/ratings" })).service).toBe("ratings");
});

test("all lines of a header count, whatever the requests before on the same worker had", async () => {
  const agent = connection();
  const lines: [headers: HeaderList, service: string][] = [
    [[["x-routing-key", "unknown"]], "reviews"],
    [
      [
        ["x-routing-key", "unknown"],
        ["x-routing-key", "another, pr-42"],
      ],
      "sandbox",
    ],
    [[], "reviews"],
    [
      [
        ["baggage", "preview=unknown"],
        ["baggage", "a=1,preview=pr-42"],
      ],
      "sandbox",
    ],
    [[["cookie", "preview=unknown"]], "reviews"],
    [
      [
        ["cookie", "preview=unknown"],
        ["cookie", "preview=pr-42"],
      ],
      "sandbox",
    ],
  ];
  const order = [0, 0, 1, 1, 2, 1, 0, 2, 0, 1, 3, 3, 4, 4, 5, 5, 2, 5, 3, 1];
  for (const i of order) {
    const [headers, service] = lines[i] as (typeof lines)[number];
    expect([i, (await bed.ask({ headers, agent })).service]).toEqual([i, service]);
  }
  agent.destroy();
});
