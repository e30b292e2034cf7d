import { describe, expect, test } from "vitest";
import { compileRoutes } from "../../routes/compiling/compile.ts";
import { parseRouteFile } from "../../routes/reading/route-file.ts";
import { diagnostics, REVIEWS, SANDBOX, services } from "./compiling.ts";

describe("both ways", () => {
  const reviews = { name: "reviews", namespace: "demo" };
  const ratings = { name: "ratings", namespace: "shop" };
  const both = (lines: string[], own = [reviews]) => {
    const file = parseRouteFile(`routes:\n${lines.map((line) => `  - ${line}\n`).join("")}`);
    return compileRoutes(file, { mode: "both", namespace: "demo", domain: "cluster.local", services, own });
  };
  const starts = (lines: string[], own?: (typeof reviews)[]) =>
    both(lines, own).configuration.routes.map(({ from }) => from);

  test("callers have every route, the called proxy those of the services that it answers for, in the file's order", () => {
    const lines = [
      "{service: reviews, key: k, to: reviews-pr-42}",
      "{service: ratings.shop:grpc, key: k, to: ratings-pr-42}",
    ];
    const RATINGS = "outbound|9090||ratings.shop.svc.cluster.local";
    expect(starts(lines)).toEqual([REVIEWS, "inbound|8080||", RATINGS]);
    expect(starts(lines, [])).toEqual([REVIEWS, RATINGS]);
    expect(starts(lines, [reviews, ratings])).toEqual([REVIEWS, "inbound|8080||", RATINGS, "inbound|9090||"]);
    expect(both(lines).configuration.routes.map((route) => "to" in route && route.to)).toEqual([
      SANDBOX,
      SANDBOX,
      "outbound|9090||ratings-pr-42.shop.svc.cluster.local",
    ]);
  });

  test("conditions hold on both ways, and shares are cut once, by the caller", () => {
    const when = "when: [{header: x-user, exact: a}]";
    expect(starts([`{service: reviews, ${when}, to: reviews-pr-42}`])).toEqual([REVIEWS, "inbound|8080||"]);
    const split = "split: [{to: reviews-pr-42, weight: 10}]";
    expect(starts([`{service: reviews, ${split}}`, `{service: reviews, ${when}, ${split}}`])).toEqual([
      REVIEWS,
      REVIEWS,
    ]);
  });

  test("what is named as a cluster, any baseline, a subset and a host outside are there once", () => {
    const to = "key: k, to: reviews-pr-42:9080";
    expect(starts([`{service: {cluster: "inbound|8080||"}, ${to}}`])).toEqual(["inbound|8080||"]);
    expect(starts([`{service: "*", ${to}}`])).toEqual(["*"]);
    expect(starts([`{service: {service: reviews, subset: v1}, ${to}}`])).toEqual([REVIEWS.replace("||", "|v1|")]);
    expect(starts([`{service: api.example.com:443, ${to}}`])).toEqual(["outbound|443||api.example.com"]);
  });

  test("mistakes are told once, with the route's place in the file", () => {
    expect(diagnostics("{service: reviews, key: k, to: nowhere}", "both")).toHaveLength(1);
    const route = (service: string) => `{service: ${service}, key: k, to: reviews-pr-42.demo:9080}`;
    const first = "{service: ratings.shop:http, key: a, to: ratings-pr-42}";
    expect(() => both([first, route("reviews"), route("reviews.demo")])).toThrow(
      /^routes\[2\]: same from and key as routes\[1\]$/,
    );
    const onePort = [{ name: "reviews-pr-42", namespace: "demo" }, ratings];
    expect(() => both([first, route("reviews-pr-42"), route("ratings.shop:http")], onePort)).toThrow(
      /^routes\[2\]: same from and key as routes\[1\]; inbound, a proxy tells services apart by their port alone/,
    );
  });
});
