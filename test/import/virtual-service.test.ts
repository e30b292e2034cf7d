// What an import makes of VirtualServices, rule by rule.
import { describe, expect, test } from "vitest";
import { OVERRIDES, VIRTUAL_SERVICE } from "./fixtures.ts";
import { mistakeIn, read } from "./read.ts";

const V1 = { route: [{ destination: { host: "reviews", subset: "v1" } }] };
const to = (subset: string) => ({ route: [{ destination: { host: "reviews", subset } }] });
const withRules = (...http: object[]) => withSpec({ http });
const withSpec = (spec: object) => ({ ...VIRTUAL_SERVICE, spec: { ...VIRTUAL_SERVICE.spec, ...spec } });
/** The conditions of the first route of a rule with this match. */
const conditions = (match: object) => read(withRules({ match: [match], ...to("v2") }, V1)).routes[0]?.when;
const findings = (input: object, options = {}) =>
  read(input, options).findings.map((one) => one.replace(/in\.yaml:\d+:\d+: VirtualService demo\/reviews: /, ""));

const subset = (name: string) => ({ service: "reviews.demo", subset: name });
const REST = { service: "reviews.demo", split: [{ to: subset("v1"), weight: 100 }] };

describe("VirtualServices", () => {
  test("several entries, and several texts of one, are several routes, in their order", () => {
    const { routes, ids, findings } = read(VIRTUAL_SERVICE);
    const api = { request: "path", prefix: "/api/" };
    expect(routes).toEqual([
      { service: "reviews.demo", when: [{ header: "end-user", exact: "jason" }], to: subset("v2") },
      { service: "reviews.demo", when: [api, { query: "v", exact: "2" }], to: subset("v2") },
      { service: "reviews.demo", when: [api, { query: "v", exact: "two" }], to: subset("v2") },
      REST,
    ]);
    expect(ids).toEqual(["1", "2", "3", "4"].map((at) => `vs-demo-reviews-000${at}`));
    expect(findings).toEqual([]);
  });

  test.each([
    [{ headers: { A: { prefix: "x" } } }, [{ header: "a", prefix: "x" }]],
    [{ headers: { a: {} } }, [{ header: "a", present: true }]],
    [{ headers: { a: { regex: ".*" } } }, [{ header: "a", present: true }]],
    [{ headers: { a: { regex: "^x\\.y$" } } }, [{ header: "a", exact: "x.y" }]],
    [{ headers: { a: { regex: "x.*" } } }, [{ header: "a", prefix: "x" }]],
    [{ headers: { a: { regex: ".*?x" } } }, [{ header: "a", suffix: "x" }]],
    [{ headers: { cookie: { regex: "^(.*?; ?)?(user=jason)(;.*)?$" } } }, [{ cookie: "user", exact: "jason" }]],
    [{ headers: { cookie: { regex: "^(.*?;\\s*)?(user=jason)(;.*)?$" } } }, [{ cookie: "user", exact: "jason" }]],
    [{ headers: { cookie: { regex: ".*user=jason.*" } } }, [{ header: "cookie", contains: "user=jason" }]],
    [
      { withoutHeaders: { a: { exact: "x" }, b: {} } },
      [
        { header: "a", exact: "x", not: true },
        { header: "b", present: false },
      ],
    ],
    [{ queryParams: { q: { exact: "x" } } }, [{ query: "q", exact: "x" }]],
    [
      { uri: { exact: "/a" }, method: { exact: "GET" } },
      [
        { request: "path", exact: "/a" },
        { request: "method", exact: "GET" },
      ],
    ],
    [
      { authority: { exact: "a:80" }, scheme: { exact: "http" } },
      [
        { header: ":scheme", exact: "http" },
        { header: ":authority", exact: "a:80" },
      ],
    ],
  ])("%j", (match, when) => {
    expect(conditions(match)).toEqual(when);
    expect(findings(withRules({ match: [match], ...to("v2") }, V1))).toEqual([]);
  });

  test("a header that is known to carry keys, or said to, makes routes with keys as long as nothing else came before", () => {
    const key = (name: string, value: string) => ({ match: [{ headers: { [name]: { exact: value } } }], ...to(value) });
    const rules = [key("x-routing-key", "a"), key("x-mine", "b"), key("x-routing-key", "c"), V1];
    expect(read(withRules(...rules)).routes.map(({ key }) => key)).toEqual(["a", undefined, undefined, undefined]);
    expect(read(withRules(...rules.slice(1)), { keys: ["header:x-mine"] }).routes[0].key).toBe("b");
    expect(read(withRules(key("x-routing-key", "no key"), V1)).routes[0].when).toEqual([
      { header: "x-routing-key", exact: "no key" },
    ]);
  });

  test("a key under a condition is one route of both, tried before the key alone", () => {
    const both = { headers: { "x-routing-key": { exact: "a" } }, uri: { prefix: "/api" } };
    const alone = { headers: { "x-routing-key": { exact: "a" } } };
    const { routes, ids } = read(withRules({ match: [both], ...to("v2") }, { match: [alone], ...to("v3") }, V1));
    expect(routes.map(({ key, when }) => [key, when?.length])).toEqual([
      ["a", 1],
      ["a", undefined],
      [undefined, undefined],
    ]);
    expect(ids[0]).toBe("vs-demo-reviews-0001");
    const turned = findings(withRules({ match: [alone], ...to("v3") }, { match: [both], ...to("v2") }, V1));
    expect(turned).toEqual(["dropped spec.http[1].match[0]: never reached: a rule before it takes the same requests"]);
  });

  test("weights of any sum are percents; with a condition, too", () => {
    const thirds = ["v1", "v2", "v3"].map((name) => ({ destination: { host: "reviews", subset: name }, weight: 1 }));
    const match = [{ headers: { a: { exact: "x" } } }];
    const { routes } = read(
      withRules(
        { match, route: thirds },
        {
          route: [
            ...thirds.slice(0, 2),
            { destination: { host: "b.shop.svc.cluster.local", port: { number: 81 } }, weight: 0 },
          ],
        },
      ),
    );
    expect(routes[0].split.map(({ weight }: { weight: number }) => weight)).toEqual([33.3333, 33.3333, 33.3334]);
    expect(routes[1]).toEqual({
      service: "reviews.demo",
      split: ["v1", "v2"].map((name) => ({ to: subset(name), weight: 50 })),
    });
  });

  test.each([
    [
      "a rewrite",
      { rewrite: { uri: "/" }, ...to("v2") },
      ["dropped spec.http[0].rewrite: what takes this route is treated as the rule says that it meets without it"],
      2,
    ],
    [
      "a redirect",
      { redirect: { uri: "/" } },
      [
        "dropped spec.http[0].redirect: a route leads to a service; what it took meets the rules behind it now, or the baseline",
      ],
      1,
    ],
    [
      "headers of a destination",
      { route: [{ destination: { host: "a" }, headers: {} }] },
      [expect.stringMatching(/^dropped spec\.http\[0\]\.route\[0\]\.headers: /)],
      2,
    ],
  ])("%s is told", (_, rule, told, routes) => {
    const input = withRules({ match: [{ headers: { a: { exact: "x" } } }], ...rule }, V1);
    expect(findings(input)).toEqual(told);
    expect(read(input).routes).toHaveLength(routes);
  });

  test.each([
    ["a caller's labels", { sourceLabels: { app: "a" } }, "sourceLabels: Keyway has no such condition"],
    ["a gateway", { gateways: ["gw"] }, "gateways: it holds at gw alone"],
    ["a regular expression", { headers: { a: { regex: "v[0-9]" } } }, "headers.a: Keyway compares texts"],
    ["a claim", { headers: { "@request.auth.claims.a": { exact: "x" } } }, "@request.auth.claims.a is no header"],
    [
      "an encoded query",
      { queryParams: { a: { exact: "a%20b" } } },
      "queryParams.a: Keyway compares query parameters percent-decoded",
    ],
    ["an empty text", { headers: { a: { exact: "" } } }, "headers.a: an empty text"],
    [
      "another service's version",
      { headers: { "x-override": { regex: "(.*,|^)ratings:v2(,.*|$)" } } },
      "ratings is another service than reviews.demo",
    ],
  ])("%s as a condition drops its entry, and says so", (_, match, why) => {
    const input = withRules({ match: [{ headers: { a: { exact: "x" } }, ...match }], ...to("v2") }, V1);
    expect(read(input).routes).toEqual([REST]);
    expect(findings(input)).toEqual([
      expect.stringMatching(/^dropped spec\.http\[0\]\.match\[0\].*meets the rules behind it now, or the baseline$/),
    ]);
    expect(findings(input)[0]).toContain(why);
  });

  test("Istio's own cookie pattern is wider here, and a path in any case narrower", () => {
    const cookie = { headers: { cookie: { regex: "^(.*?;)?(user=jason)(;.*)?$" } } };
    expect(findings(withRules({ match: [cookie], ...to("v2") }, V1))).toEqual([
      "widened spec.http[0].match[0].headers.cookie: the cookie counts behind a space, as browsers send it, as well",
    ]);
    const path = { uri: { prefix: "/a" }, ignoreUriCase: true };
    expect(findings(withRules({ match: [path], ...to("v2") }, V1))).toEqual([
      "narrowed spec.http[0].match[0].ignoreUriCase: a path is compared in its case",
    ]);
  });

  test("what stands behind a rule for everything is never reached; what no rule took was refused", () => {
    expect(findings(withRules(V1, { match: [{ uri: { prefix: "/" } }], ...to("v2") }))).toEqual([
      "dropped spec.http[1].match[0]: never reached: spec.http[0] takes every request before it",
    ]);
    expect(findings(withRules({ match: [{ headers: { a: {} } }], ...to("v2") }))).toEqual([
      "widened spec.http: a request that none of these rules takes was answered with 404; now it goes to reviews.demo",
    ]);
    const baseline = { route: [{ destination: { host: "reviews" } }] };
    expect(read(withRules(baseline))).toMatchObject({ routes: [], findings: [] });
  });

  test("a port of the service is a part of its name", () => {
    const { routes } = read(withRules({ match: [{ port: 9080 }], ...to("v2") }, V1));
    expect(routes.map(({ service }) => service)).toEqual(["reviews.demo:9080", "reviews.demo"]);
  });

  test("hosts, gateways, exports and other protocols are carried over or told", () => {
    expect(
      read(withSpec({ hosts: ["reviews", "ratings.shop.svc.cluster.local"] })).routes.map(({ service }) => service),
    ).toEqual([...Array(4).fill("reviews.demo"), ...Array(4).fill("ratings.shop")]);
    expect(findings(withSpec({ hosts: ["*.demo.svc.cluster.local"] }))[0]).toMatch(/^dropped spec\.hosts\[0\]: /);
    expect(findings(withSpec({ gateways: ["gw"] }))).toEqual([
      "dropped spec.gateways: what holds at gw is left out: a gateway has routes of its own",
    ]);
    expect(findings(withSpec({ gateways: ["mesh", "gw"] }))[0]).toMatch(/^narrowed spec\.gateways: /);
    expect(findings(withSpec({ exportTo: ["."], tcp: [{}], tls: [{}] })).map((one) => one.split(":")[0])).toEqual([
      "dropped spec.tls",
      "dropped spec.tcp",
      "widened spec.exportTo",
    ]);
  });

  test("of two for one host the older one counts", () => {
    const made = (name: string, creationTimestamp: string) => ({
      ...VIRTUAL_SERVICE,
      metadata: { name, namespace: "demo", creationTimestamp },
    });
    const items = [made("young", "2026-01-02T00:00:00Z"), made("old", "2026-01-01T00:00:00Z")];
    const { ids, findings } = read({ apiVersion: "v1", kind: "List", items });
    expect(new Set(ids.map((id) => id.slice(0, -5)))).toEqual(new Set(["vs-demo-old"]));
    expect(findings).toEqual([
      expect.stringMatching(
        /^dropped .*VirtualService demo\/young: spec\.hosts\[0\]: VirtualService demo\/old is older/,
      ),
    ]);
  });

  test("those of mt-inside/overrides become routes with versions as keys, and a split for the rest", () => {
    const { routes, findings, keys } = read(OVERRIDES);
    expect(routes).toEqual([
      { service: "reviews.demo", key: "v1", to: subset("v1") },
      { service: "reviews.demo", key: "v2", to: subset("v2") },
      REST,
    ]);
    expect(keys).toEqual(["overrides"]);
    expect(findings).toEqual([]);
    const dotted = JSON.parse(JSON.stringify(OVERRIDES).replaceAll("reviews:v2", "reviews:v1.0"));
    expect(read(dotted).findings).toEqual([
      expect.stringMatching(/^narrowed .*x-override: a \. in v1\.0 stood for any character$/),
    ]);
  });

  test("a rule without a route, and weights of 0, are mistakes", () => {
    expect(mistakeIn(withRules({ match: [] }))).toContain("spec.http[0]: it has neither a route");
    const none = [
      { destination: { host: "a" }, weight: 0 },
      { destination: { host: "b" }, weight: 0 },
    ];
    expect(mistakeIn(withRules({ route: none }))).toContain("spec.http[0].route: all of its weights are 0");
  });
});
