// Route files where no cluster is there to tell the ports of services.
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { runCli } from "../cli/run.ts";

const FILE = `routes:
  - {service: reviews:9080, key: pr-42, to: reviews-pr-42}
  - {service: reviews, when: [{cookie: user, exact: alice}], to: {service: reviews, subset: v2}}
  - {service: reviews, split: [{to: reviews-v3, weight: 10}, {to: reviews-v4.shop, weight: 5}], sticky: "cookie:session"}
`;
const HOST = "demo.svc.cluster.local";
const MODULE = `oci://registry.example/keyway@sha256:${"0".repeat(64)}`;
const ISTIO = ["render", "istio", "-l", "app=shop", "--mode", "outbound", "-n", "demo", "--module", MODULE, "-f", "-"];

test("a target has the port that another route names for its baseline", async () => {
  const { out, code } = await runCli(ISTIO, { input: FILE });
  expect(code).toBe(0);
  const plugin = parseAllDocuments(out)
    .map((one) => one.toJS())
    .find(({ kind }) => kind === "WasmPlugin");
  expect(
    plugin.spec.pluginConfig.routes.map(
      ({ to, split }: { to: string; split: { to: string }[] }) => to ?? split.map((one) => one.to),
    ),
  ).toEqual([
    `outbound|9080||reviews-pr-42.${HOST}`,
    `outbound|9080|v2|reviews.${HOST}`,
    [`outbound|9080||reviews-v3.${HOST}`, "outbound|9080||reviews-v4.shop.svc.cluster.local"],
  ]);
});

test.each(["in the order of the file", "against it"])(
  "a target hands its ports on to targets of its own: %s",
  async (order) => {
    const routes = ["{service: c:9080, key: k, to: a}", "{service: a, key: k, to: b}", "{service: b, key: k, to: d}"];
    if (order === "against it") routes.reverse();
    const { out, err } = await runCli(ISTIO, { input: `routes:\n${routes.map((one) => `  - ${one}\n`).join("")}` });
    expect(out, err).toContain(`to: outbound|9080||d.${HOST}`);
  },
);

test("explain decides by the same names", async () => {
  const from = ["--from", "reviews", "--mode", "outbound", "-n", "demo", "-o", "json", "/"];
  const { out, code } = await runCli(["route", "explain", "-f", "-", ...from, "-H", "cookie: user=alice"], {
    input: FILE,
  });
  expect([code, JSON.parse(out).to]).toEqual([0, `outbound|9080|v2|reviews.${HOST}`]);
});

test.each([
  ["{service: ratings.shop:http, key: pr-42, to: ratings-pr-42.shop:9080}", "routes[0].service", "ratings"],
  ["{service: ratings:9080, key: pr-42, to: ratings-pr-42:http}", "routes[0]", "ratings-pr-42"],
])("%s: the name of a port is nothing without a cluster, and that is said", async (route, place, service) => {
  for (const args of [ISTIO, ["route", "explain", "-f", "-", "--mode", "outbound", "-n", "demo", "/"]]) {
    const { code, err } = await runCli(args, { input: `routes:\n  - ${route}\n` });
    expect([code, err]).toEqual([1, expect.stringContaining(`${place}: which number is port http of ${service}?`)]);
  }
});

test("a service whose port nobody names is asked about", async () => {
  const { code, err } = await runCli(ISTIO, { input: "routes: [{service: a, key: k, to: b}]\n" });
  expect([code, err]).toEqual([1, expect.stringContaining("which port of a?")]);
});
