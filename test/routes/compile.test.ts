import { describe, expect, test } from "vitest";
import { compileRoutes } from "../../routes/compiling/compile.ts";
import type { Mode } from "../../routes/compiling/resolve.ts";
import { parseConfiguration } from "../../routes/reading/configuration.ts";
import { ConfigurationError, formatDiagnostic } from "../../routes/reading/diagnostic.ts";
import { parseRouteFile } from "../../routes/reading/route-file.ts";
import { compile, diagnostics, REVIEWS, routed, SANDBOX, services } from "./compiling.ts";

describe("names of clusters", () => {
  test.each<[Mode, string, string]>([
    ["inbound", "inbound|8080||", SANDBOX],
    ["outbound", REVIEWS, SANDBOX],
    ["both", REVIEWS, SANDBOX],
    ["gateway", REVIEWS, SANDBOX],
    ["plain", "reviews", "reviews-pr-42"],
  ])("%s", (mode, from, to) => {
    expect(routed("{service: reviews, key: k, to: reviews-pr-42}", mode)).toEqual({ from, key: "k", to });
  });

  test.each([
    ["reviews", "outbound|9080||reviews.demo.svc.cluster.local"],
    ["reviews.demo", "outbound|9080||reviews.demo.svc.cluster.local"],
    ["reviews.demo.svc", "outbound|9080||reviews.demo.svc.cluster.local"],
    ["reviews.demo.svc.cluster.local:http", "outbound|9080||reviews.demo.svc.cluster.local"],
    ["ratings.shop:grpc", "outbound|9090||ratings.shop.svc.cluster.local"],
    ["ratings.shop:9090", "outbound|9090||ratings.shop.svc.cluster.local"],
    ["'*'", "*"],
    ["{cluster: any/thing}", "any/thing"],
  ])("a baseline %s is %s", (service, from) => {
    expect(routed(`{service: ${service}, key: k, to: {cluster: c}}`)).toEqual({ from, key: "k", to: "c" });
  });

  test.each([
    [
      "the baseline's namespace and port",
      "ratings.shop:grpc",
      "ratings-pr-42",
      "outbound|9090||ratings-pr-42.shop.svc.cluster.local",
    ],
    [
      "a port by the same name, where the number is another",
      "reviews",
      "reviews-pr-7",
      "outbound|80||reviews-pr-7.demo.svc.cluster.local",
    ],
    ["another namespace and port", "reviews", "ratings.shop:9090", "outbound|9090||ratings.shop.svc.cluster.local"],
    ["a subset", "reviews", "{service: reviews, subset: v2}", "outbound|9080|v2|reviews.demo.svc.cluster.local"],
    ["a cluster, passed through", "reviews", "{cluster: far-away}", "far-away"],
  ])("a target with %s", (_, service, to, cluster) => {
    expect(routed(`{service: ${service}, key: k, to: ${to}}`)).toMatchObject({ to: cluster });
  });

  test("every share of a split has its cluster, and all else stays as it is", () => {
    const line =
      '{service: reviews, split: [{to: reviews-pr-42, weight: 1.5}, {to: {cluster: c}, weight: 2}], sticky: "cookie:s", expires: 2030-01-31T12:00:00Z}';
    expect(routed(line)).toEqual({
      from: REVIEWS,
      split: [
        { to: SANDBOX, weight: 1.5 },
        { to: "c", weight: 2 },
      ],
      sticky: "cookie:s",
      expires: "2030-01-31T12:00:00Z",
    });
  });
});

test("shares are written in steps of 1/10,000 percent, never with an exponent", () => {
  const line = "{service: reviews, split: [{to: {cluster: a}, weight: 1e-7}, {to: {cluster: b}, weight: 83.90009}]}";
  expect(JSON.stringify(routed(line))).toContain('"split":[{"to":"a","weight":0},{"to":"b","weight":83.9}]');
  const whole = "{service: reviews, split: [{to: {cluster: a}, weight: 0.2}, {to: {cluster: b}, weight: 99.8}]}";
  expect(routed(whole)).toMatchObject({ split: [{ weight: 0.2 }, { weight: 99.8 }] });
});

test("what is said of the whole, and of routes beside their services, goes on as it is", () => {
  const file = parseRouteFile(`
keys: [mirrord]
hierarchy: "."
explain: true
routes:
  - {service: reviews, key: k, when: [{request: caller, suffix: /sa/x, not: true}], to: reviews-pr-42, missing: fail}
  - {service: reviews, when: [{request: path, prefix: /api/}], split: [{to: reviews-pr-42, weight: 5}], sticky: "cookie:s"}
`);
  const { configuration } = compileRoutes(file, { mode: "plain", namespace: "", domain: "", services: [] });
  expect(configuration).toEqual({
    keys: ["mirrord"],
    routes: [
      {
        from: "reviews",
        key: "k",
        when: [{ request: "caller", suffix: "/sa/x", not: true }],
        to: "reviews-pr-42",
        missing: "fail",
      },
      {
        from: "reviews",
        when: [{ request: "path", prefix: "/api/" }],
        split: [{ to: "reviews-pr-42", weight: 5 }],
        sticky: "cookie:s",
      },
    ],
    hierarchy: ".",
    explain: true,
    strict: false,
  });
  expect(parseConfiguration(JSON.parse(JSON.stringify(configuration)))).toEqual(configuration);
});

describe("what can't be found", () => {
  test.each<[string, string, string]>([
    [
      "a service that does not exist",
      "{service: reviws, key: k, to: reviews}",
      "2:6: routes[0].service: no service reviws in namespace demo; did you mean reviews?",
    ],
    [
      "one with several near names",
      "{service: reviews, key: k, to: reviews-pr-4}",
      "2:32: routes[0].to: no service reviews-pr-4 in namespace demo; did you mean reviews-pr-42 or reviews-pr-7?",
    ],
    [
      "one of another namespace",
      "{service: ratings, key: k, to: reviews}",
      "2:6: routes[0].service: no service ratings in namespace demo; there is ratings.shop",
    ],
    [
      "one that resembles nothing",
      "{service: payments, key: k, to: reviews}",
      "2:6: routes[0].service: no service payments in namespace demo",
    ],
    [
      "one of several ports",
      "{service: ratings.shop, key: k, to: reviews}",
      "2:6: routes[0].service: which port of ratings? It has http (9080), grpc (9090); write ratings:PORT",
    ],
    [
      "a port that is not there",
      "{service: reviews:81, key: k, to: reviews}",
      "2:6: routes[0].service: reviews.demo has no port 81; it has http (9080)",
    ],
    [
      "a port's name that is not there",
      "{service: reviews:grpc, key: k, to: reviews}",
      "2:6: routes[0].service: reviews.demo has no port grpc; it has http (9080)",
    ],
    [
      "a target without the baseline's port",
      "{service: ratings.shop:grpc, key: k, to: reviews.demo}",
      "2:42: routes[0].to: reviews.demo has no port grpc (9090); it has http (9080)",
    ],
    [
      "a subset that is not there",
      "{service: reviews, key: k, to: {service: reviews, subset: v3}}",
      "2:32: routes[0].to: reviews has no subset v3; it has v1, v2",
    ],
    [
      "a share's target",
      "{service: reviews, split: [{to: nowhere, weight: 1}]}",
      "2:33: routes[0].split[0].to: no service nowhere in namespace demo",
    ],
    [
      "a host of another domain",
      "{service: reviews, key: k, to: api.shop.svc.example.com}",
      "2:32: routes[0].to: which port of api.shop.svc.example.com? A host outside of cluster.local is named with a number: api.shop.svc.example.com:443",
    ],
  ])("%s", (_, line, diagnostic) => {
    expect(diagnostics(line)).toEqual([diagnostic]);
  });

  test("a plain Envoy knows no subsets", () => {
    expect(diagnostics("{service: reviews, key: k, to: {service: reviews, subset: v2}}", "plain")).toEqual([
      "2:32: routes[0].to: a plain Envoy knows no subsets; name the cluster: {cluster: NAME}",
    ]);
  });

  test("all are told at once", () => {
    expect(diagnostics("{service: reviews, key: k, to: a}\n  - {service: b, key: k, to: c}")).toHaveLength(2);
  });

  test("the same route twice, after services became clusters", () => {
    const line = "{service: reviews, key: k, to: reviews}\n  - {service: reviews.demo:http, key: k, to: reviews-pr-42}";
    expect(diagnostics(line)).toEqual(["3:5: routes[1]: same from and key as routes[0]"]);
    const two =
      "{service: reviews-pr-42, key: k, to: reviews}\n  - {service: ratings.shop:http, key: k, to: ratings-pr-42}";
    expect(diagnostics(two)).toEqual([]);
    expect(diagnostics(two, "inbound")).toEqual([
      expect.stringContaining("a proxy tells services apart by their port alone"),
    ]);
  });
});

describe("hosts of ServiceEntries", () => {
  const hosts = [
    { host: "api.example.com", ports: [{ port: 443, name: "https" }] },
    { host: "api-pr-42.example.com", ports: [{ port: 443 }, { port: 8443, name: "https" }], subsets: ["eu"] },
    { host: "*.example.org", ports: [{ port: 443 }] },
    { host: "reviews.demo", ports: [{ port: 80 }] },
  ];
  const at = (line: string, mode: Mode, known: typeof hosts | undefined) => {
    const file = parseRouteFile(`routes:\n  - ${line}\n`);
    const where = { mode, namespace: "demo", domain: "cluster.local", services };
    try {
      return compileRoutes(file, known ? { ...where, hosts: known } : where).configuration.routes;
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      return error.diagnostics.map((one) => `${one.at?.line}:${one.at?.col}: ${formatDiagnostic(one)}`);
    }
  };

  test.each<[string, string, string]>([
    ["api.example.com:443", "api-pr-42.example.com:8443", "outbound|8443||api-pr-42.example.com"],
    ["api.example.com:https", "api-pr-42.example.com", "outbound|443||api-pr-42.example.com"],
    [
      "api.example.com",
      "{service: 'api-pr-42.example.com:8443', subset: eu}",
      "outbound|8443|eu|api-pr-42.example.com",
    ],
    ["api.example.com", "reviews-pr-42:9080", "outbound|9080||reviews-pr-42.demo.svc.cluster.local"],
    ["api.example.com", "'*.example.org'", "outbound|443||*.example.org"],
  ])("%s to %s", (service, to, cluster) => {
    expect(at(`{service: ${service}, key: k, to: ${to}}`, "outbound", hosts)).toEqual([
      { from: "outbound|443||api.example.com", key: "k", to: cluster },
    ]);
  });

  test("a known host comes before a service of that name", () => {
    expect(at("{service: reviews.demo, key: k, to: {cluster: c}}", "gateway", hosts)).toMatchObject([
      { from: "outbound|80||reviews.demo" },
    ]);
  });

  test("where nobody looked for hosts, one that is named with its port will do", () => {
    expect(at("{service: api.example.com:443, key: k, to: a.b.c:80}", "outbound", undefined)).toEqual([
      { from: "outbound|443||api.example.com", key: "k", to: "outbound|80||a.b.c" },
    ]);
    expect(at("{service: api.example.com, key: k, to: a.b.c:http}", "outbound", undefined)).toEqual([
      "2:6: routes[0].service: which port of api.example.com? A host outside of cluster.local is named with a number: api.example.com:443",
    ]);
  });

  test.each<[string, Mode, string, string]>([
    [
      "one that no ServiceEntry has",
      "outbound",
      "{service: api.exampel.com:443, key: k, to: reviews}",
      "2:6: routes[0].service: no ServiceEntry has the host api.exampel.com; did you mean api.example.com?",
    ],
    [
      "another domain",
      "outbound",
      "{service: reviews, key: k, to: reviews.demo.svc.example.net:80}",
      "2:32: routes[0].to: no ServiceEntry has the host reviews.demo.svc.example.net; the mesh's domain is cluster.local, not example.net",
    ],
    [
      "a port that the host has not",
      "outbound",
      "{service: api.example.com:80, key: k, to: reviews}",
      "2:6: routes[0].service: api.example.com has no port 80; it has https (443)",
    ],
    [
      "one of several ports",
      "outbound",
      "{service: api-pr-42.example.com, key: k, to: reviews}",
      "2:6: routes[0].service: which port of api-pr-42.example.com? It has 443, https (8443); write api-pr-42.example.com:PORT",
    ],
    [
      "a subset that the host has not",
      "outbound",
      "{service: reviews, key: k, to: {service: 'api-pr-42.example.com:443', subset: us}}",
      "2:32: routes[0].to: api-pr-42.example.com has no subset us; it has eu",
    ],
    [
      "a host before its own workload",
      "inbound",
      "{service: api.example.com, key: k, to: reviews}",
      "2:6: routes[0].service: inbound, the baseline is a service of the selected workload itself; api.example.com is a host outside",
    ],
  ])("%s", (_, mode, line, diagnostic) => {
    expect(at(line, mode, hosts)).toEqual([diagnostic]);
  });
});

describe("a subset as the baseline", () => {
  test("is the cluster of that subset alone", () => {
    expect(routed("{service: {service: reviews, subset: v2}, key: k, to: reviews-pr-42}")).toMatchObject({
      from: "outbound|9080|v2|reviews.demo.svc.cluster.local",
    });
  });

  test.each<[Mode, string, string]>([
    ["outbound", "v3", "reviews has no subset v3; it has v1, v2"],
    [
      "inbound",
      "v2",
      "inbound, a proxy does not know as which subset it was called; leave the subset out and select its workload",
    ],
    ["plain", "v2", "a plain Envoy knows no subsets; name the cluster: {cluster: NAME}"],
  ])("%s: %s", (mode, subset, message) => {
    const line = `{service: {service: reviews, subset: ${subset}}, key: k, to: reviews-pr-42}`;
    expect(diagnostics(line, mode)).toEqual([`2:6: routes[0].service: ${message}`]);
  });
});

describe("a target port that is given by name", () => {
  const inMode = (mode: Mode, numbers?: number[]) => {
    const file = parseRouteFile("routes:\n  - {service: reviews, key: k, to: reviews-pr-42}\n");
    const web = { name: "web", ...(numbers && { numbers }) };
    const named = { name: "reviews", namespace: "demo", ports: [{ port: 80, name: "http", targetPort: web }] };
    const sandbox = { name: "reviews-pr-42", namespace: "demo", ports: [{ port: 80, targetPort: web }] };
    try {
      const { configuration } = compileRoutes(file, {
        mode,
        namespace: "demo",
        domain: "cluster.local",
        services: [named, sandbox],
      });
      return configuration.routes[0]?.from;
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      return error.diagnostics.map((one) => `${one.at?.line}:${one.at?.col}: ${formatDiagnostic(one)}`).join();
    }
  };
  const leads = "2:6: routes[0].service: port http (80) of reviews.demo leads to the pods' port";
  const instead = 'name the cluster of the right one instead: {cluster: "inbound|NUMBER||"}';

  test("is never taken for the service's own port", () => {
    expect(inMode("inbound", [])).toBe(
      `${leads} "web", and no pod that declares it is there to say its number; ${instead}`,
    );
    expect(inMode("inbound", [8080, 9090])).toBe(
      `${leads} "web", which is 8080 in some pods and 9090 in others; ${instead}`,
    );
    expect(inMode("inbound")).toBe(`${leads} "web", whose number nobody looked up in that namespace; ${instead}`);
  });

  test("matters only where the baseline is the workload's own port", () => {
    expect(inMode("outbound", [])).toBe("outbound|80||reviews.demo.svc.cluster.local");
    expect(inMode("gateway")).toBe("outbound|80||reviews.demo.svc.cluster.local");
  });
});

test("tells what was named, for whoever checks it further", () => {
  const { uses } = compile("{service: reviews, key: k, to: {service: reviews, subset: v2}}");
  expect(
    uses.map(({ role, path, service, port, subset }) => [role, path.join("."), service?.name, port.port, subset]),
  ).toEqual([
    ["baseline", "routes.0.service", "reviews", 9080, undefined],
    ["target", "routes.0.to", "reviews", 9080, "v2"],
  ]);
});
