// Links: the key in the query of one request sticks by a cookie, which the routes around the filter put into the answer.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { guardRoutes } from "../../installer/render/parts.ts";
import { type Proof, proofFor } from "../../installer/twins/headers.ts";
import { withTwins } from "../../installer/twins/twins.ts";
import { type Listener, type Manager, manager, type Route } from "../../scripts/proxy/bootstrap.ts";
import { type Bed, startBed } from "./bed/bed.ts";
import { cluster } from "./bed/bootstrap.ts";
import type { Answer, Ask } from "./bed/client.ts";
import { Jar } from "./bed/jar.ts";

const proof: Proof = { ...proofFor("inside"), links: true };

/** Routes that have no cluster, and one whose baseline is a weighted choice. */
const others = [
  { match: { prefix: "/moved" }, redirect: { path_redirect: "/elsewhere" } },
  { match: { prefix: "/direct" }, direct_response: { status: 200, body: { inline_string: "direct" } } },
  {
    match: { prefix: "/weighted" },
    route: { weighted_clusters: { clusters: [{ name: "ratings", weight: 1 }] } },
    response_headers_to_add: [{ header: { key: "x-own", value: "kept" } }],
  },
];

const withRoutes: Record<string, (routes: Route[], configuration: Manager["route_config"]) => object> = {
  twins: (routes, configuration) => {
    const [host] = configuration.virtual_hosts;
    return withTwins({ ...configuration, virtual_hosts: [{ ...host, routes: [...others, ...routes] }] }, { proof });
  },
  guards: (routes, configuration) => {
    const [host] = configuration.virtual_hosts;
    return {
      ...configuration,
      virtual_hosts: [{ ...host, routes: [...guardRoutes(proof), ...others, ...routes.slice(2)] }],
    };
  },
};

describe.each(Object.entries(withRoutes))("with %s", (_, changed) => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await startBed({
      config: {
        link: true,
        emit: ["header:x-routing-key"],
        routes: [
          { from: "reviews", key: "pr-42", to: "sandbox" },
          { from: "reviews", key: "other", to: "other" },
          { from: "reviews", key: "absent", to: "absent" },
          { from: "reviews", key: "refuses", to: "refuses" },
          { from: "reviews", key: "strict", to: "absent", missing: "fail" },
        ],
      },
      targets: ["sandbox", "other", "ratings"],
      change(made) {
        const web = manager(made.static_resources.listeners[0] as Listener);
        const { route_config } = web;
        web.route_config = changed(
          route_config.virtual_hosts[0]?.routes ?? [],
          route_config,
        ) as Manager["route_config"];
        made.static_resources.clusters.push(cluster("refuses", 1));
      },
    });
  });
  afterAll(() => bed.stop());

  const COOKIE = "Max-Age=604800; Path=/; SameSite=Lax; HttpOnly";
  const OFF = "keyway=; Max-Age=0; Path=/; SameSite=Lax; HttpOnly";
  const told = ({ headers }: Answer) => [headers["set-cookie"], headers["cache-control"]];
  const quiet = [undefined, undefined];

  test("a link opens the preview and sticks, until another one changes it or takes it off", async () => {
    const jar = new Jar();
    const visit = async (path: string) => {
      const answer = await bed.ask({ path, headers: jar.headers });
      jar.keep(answer);
      return [answer.service, ...answer.seen("x-routing-key"), ...told(answer).flat()];
    };
    expect(await visit("/")).toEqual(["reviews", ...quiet]);
    expect(await visit("/?keyway=pr-42")).toEqual(["sandbox", "pr-42", `keyway=pr-42; ${COOKIE}`, "no-store"]);
    expect(await visit("/basket")).toEqual(["sandbox", "pr-42", ...quiet]);
    expect(await visit("/?a=1&keyway=other&b")).toEqual(["other", "other", `keyway=other; ${COOKIE}`, "no-store"]);
    expect(await visit("/basket")).toEqual(["other", "other", ...quiet]);
    expect(await visit("/?keyway=")).toEqual(["reviews", OFF, "no-store"]);
    expect(jar.headers).toEqual({});
    expect(await visit("/basket")).toEqual(["reviews", ...quiet]);
  });

  test("a key without a route here sticks and travels on, too", async () => {
    const answer = await bed.ask({ path: "/?keyway=pr-43", headers: { cookie: "a=1; keyway=pr-42" } });
    expect([answer.service, ...told(answer)]).toEqual(["reviews", [`keyway=pr-43; ${COOKIE}`], "no-store"]);
    expect([answer.seen("cookie"), answer.seen("x-routing-key")]).toEqual([["a=1; keyway=pr-43"], ["pr-43"]]);
    const weighted = await bed.ask({ path: "/weighted?keyway=pr-43" });
    expect([weighted.service, ...told(weighted)]).toEqual(["ratings", [`keyway=pr-43; ${COOKIE}`], "no-store"]);
  });

  test.each(["GET", "HEAD", "POST", "DELETE"])("%s", async (method) => {
    const answer = await bed.ask({
      path: "/?keyway=pr-42",
      method,
      ...(method === "POST" && { body: "x".repeat(100_000) }),
    });
    expect([answer.headers["x-service"], ...told(answer)]).toEqual([
      "sandbox",
      [`keyway=pr-42; ${COOKIE}`],
      "no-store",
    ]);
  });

  test("over https the cookie is secure", async () => {
    const answer = await bed.ask({ path: "/?keyway=pr-42", headers: { "x-forwarded-proto": "https" } });
    expect(told(answer)).toEqual([[`keyway=pr-42; ${COOKIE}; Secure`], "no-store"]);
    const off = await bed.ask({ path: "/?keyway=", headers: { "x-forwarded-proto": "https" } });
    expect(told(off)).toEqual([[`${OFF}; Secure`], "no-store"]);
  });

  test.each([
    ["a line break", "%0d%0aset-cookie:%20a=b"],
    ["another attribute", "pr-42%3b%20Domain=example.com"],
    ["a blank", "pr%2042"],
    ["a byte that is no ASCII", "pr-%e9"],
    ["a zero", "pr-42%00"],
    ["a broken escape", "%zz"],
    ["too much", "x".repeat(257)],
    ["a quote, which no cookie can hold", "%22pr%22"],
  ])("%s in the parameter sets nothing", async (_, value) => {
    const answer = await bed.ask({ path: `/?keyway=${value}` });
    expect([answer.status, answer.service, ...told(answer)]).toEqual([200, "reviews", ...quiet]);
    // The cookie stays what it was.
    expect((await bed.ask({ path: `/?keyway=${value}`, headers: { cookie: "keyway=pr-42" } })).seen("cookie")).toEqual([
      "keyway=pr-42",
    ]);
  });

  test("a target that is missing or refuses: the link sticks, whoever answers", async () => {
    const cookie = (key: string) => [[`keyway=${key}; ${COOKIE}`], "no-store"];
    const absent = await bed.ask({ path: "/?keyway=absent" });
    expect([absent.service, ...told(absent)]).toEqual(["reviews", ...cookie("absent")]);
    const strict = await bed.ask({ path: "/?keyway=strict" });
    expect([strict.status, ...told(strict)]).toEqual([424, ...cookie("strict")]);
    const first = await bed.ask({ path: "/?keyway=refuses" });
    expect([first.status, ...told(first)]).toEqual([503, ...cookie("refuses")]);
    const second = await bed.ask({ path: "/?keyway=refuses" });
    expect([second.service, ...told(second)]).toEqual(["reviews", ...cookie("refuses")]);
  });

  test("a route without a cluster answers as ever, and its redirect takes the link along", async () => {
    const moved = await bed.ask({ path: "/moved?keyway=pr-42" });
    expect([moved.status, ...told(moved)]).toEqual([301, ...quiet]);
    expect(moved.headers.location).toMatch(/\/elsewhere\?keyway=pr-42$/);
    const direct = await bed.ask({ path: "/direct?keyway=pr-42" });
    expect([direct.body, ...told(direct)]).toEqual(["direct", ...quiet]);
  });

  test("no client can bring the text of the cookie, nor a selection", async () => {
    const forged: Ask = { headers: { "x-keyway-cluster": "sandbox", "wasm.keyway_link": "a=b", keyway_link: "a=b" } };
    const answer = await bed.ask(forged);
    expect([answer.service, ...told(answer)]).toEqual(["reviews", ...quiet]);
  });
});
