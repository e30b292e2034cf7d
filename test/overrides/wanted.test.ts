// What the versions of a Service's pods come to.
import { describe, expect, test } from "vitest";
import { isOurs, OVERRIDES_LABEL, subsetName } from "../../controller/overrides/objects.ts";
import { type Around, wantedFor } from "../../controller/overrides/wanted.ts";

const SERVICE = { metadata: { name: "reviews", namespace: "demo", uid: "u" }, spec: { selector: { app: "reviews" } } };
const pod = (version: string | undefined, app = "reviews", isReady = true) => ({
  labels: { app, ...(version !== undefined && { version }) },
  isReady,
});
const HOST = "reviews.demo.svc.cluster.local";

function wanted(versions: (string | undefined)[], around: Partial<Around> = {}, service: object = {}) {
  const all = { destinationRules: [], virtualServices: [], routes: [], domain: "cluster.local", ...around };
  const { subsets, routes, told } = wantedFor(
    { ...SERVICE, ...service },
    { pods: versions.map((one) => pod(one)), ...all },
  );
  return { subsets, routes: routes.map(({ spec }) => spec), told };
}

const to = (subset: string) => ({ service: "reviews", subset });
const version = (name: string) => ({ service: "reviews", key: name, to: to(name) });
const rest = (subset: string) => ({ service: "reviews", split: [{ to: to(subset), weight: 100 }] });
const subset = (name: string) => ({ name, labels: { version: name } });
const rule = (spec: object, name = "theirs") => ({ metadata: { name, namespace: "demo" }, spec });

describe("versions of pods", () => {
  test("each is a subset and a route of which it is the key, and the rest goes to v1", () => {
    expect(wanted(["v2", "v1", "v2", undefined])).toEqual({
      subsets: [subset("v1"), subset("v2")],
      routes: [version("v1"), version("v2"), rest("v1")],
      told: [],
    });
  });

  test("one of which no pod is ready is a subset alone, also where it is the one for the rest", () => {
    const all = { destinationRules: [], virtualServices: [], routes: [], domain: "d" };
    const pods = [pod("v1", "reviews", false), pod("v2"), pod("v2", "reviews", false)];
    const { subsets, routes, told } = wantedFor(SERVICE, { pods, ...all });
    expect([subsets, routes.map(({ spec }) => spec)]).toEqual([[subset("v1"), subset("v2")], [version("v2")]]);
    expect(told).toEqual([expect.stringContaining("no pod of the version v1 is ready")]);
  });

  test("all that is made is marked, and goes with the Service", () => {
    const { routes } = wantedFor(SERVICE, {
      pods: [pod("v1")],
      destinationRules: [],
      virtualServices: [],
      routes: [],
      domain: "d",
    });
    expect(routes.map(({ metadata }) => metadata)).toEqual(
      Array(2).fill({
        name: expect.stringMatching(/^overrides-reviews-(v1|default)-\w{10}$/),
        namespace: "demo",
        labels: { "app.kubernetes.io/managed-by": "keyway", [OVERRIDES_LABEL]: "reviews" },
        ownerReferences: [{ apiVersion: "v1", kind: "Service", name: "reviews", uid: "u" }],
      }),
    );
    expect(routes.every(isOurs)).toBe(true);
  });

  test("an annotation names another version for the rest; without pods of it the rest goes to all", () => {
    const annotated = { metadata: { ...SERVICE.metadata, annotations: { "keyway.dev/overrides-default": "v2" } } };
    expect(wanted(["v1", "v2"], {}, annotated).routes).toEqual([version("v1"), version("v2"), rest("v2")]);
    expect(wanted(["v2"])).toEqual({
      subsets: [subset("v2")],
      routes: [version("v2")],
      told: [expect.stringMatching(/^no pod has the version v1, so requests without one go to pods of all versions/)],
    });
  });

  test.each([
    ["no pod has a version", [undefined], {}],
    ["the Service selects nothing", ["v1"], { spec: {} }],
    ["the Service is a name outside", ["v1"], { spec: { type: "ExternalName", selector: { app: "reviews" } } }],
    [
      "the Service is a Sandbox's",
      ["v1"],
      { metadata: { ...SERVICE.metadata, labels: { "keyway.dev/sandbox": "pr-42" } } },
    ],
    ["the pods are another Service's", ["v1"], { spec: { selector: { app: "ratings" } } }],
  ])("nothing is wanted where %s", (_, versions, service) => {
    expect(wanted(versions, {}, service)).toEqual({ subsets: [], routes: [], told: [] });
  });

  test("versions that are no names of subsets have such names", () => {
    const { subsets, routes } = wanted(["1.0", "RC_2"]);
    expect(subsets.map(({ name, labels }) => [name, labels])).toEqual([
      [subsetName("1.0"), { version: "1.0" }],
      [subsetName("RC_2"), { version: "RC_2" }],
    ]);
    expect(subsets.map(({ name }) => name).filter((name) => !/^[a-z0-9-]{1,63}$/.test(name))).toEqual([]);
    expect(routes).toMatchObject([{ key: "1.0", to: { subset: subsetName("1.0") } }, { key: "RC_2" }]);
  });

  test.each([HOST, "reviews", "*.demo.svc.cluster.local", "*"])(
    "somebody's DestinationRule for %s stays the only one, and its subsets are used",
    (host) => {
      const subsets = [
        { name: "one", labels: { version: "v1" } },
        { name: "more", labels: { version: "v2", track: "x" } },
      ];
      expect(wanted(["v1", "v2"], { destinationRules: [rule({ host, subsets })] })).toEqual({
        subsets: [],
        routes: [{ ...version("v1"), to: to("one") }, rest("one")],
        told: [
          expect.stringMatching(
            /^the DestinationRule theirs is somebody else's and has no subset of the labels \{version: v2\} alone/,
          ),
        ],
      });
      expect(wanted(["v1"], { destinationRules: [rule({ host: "ratings" })] }).subsets).toEqual([subset("v1")]);
    },
  );

  test("somebody's VirtualService or Route for the rest stays, and is told", () => {
    const virtual = wanted(["v1"], { virtualServices: [rule({ hosts: [HOST] })] });
    expect([virtual.routes, virtual.told]).toEqual([
      [version("v1")],
      [expect.stringContaining("the VirtualService theirs says where")],
    ]);
    expect(wanted(["v1"], { virtualServices: [rule({ hosts: ["reviews"], gateways: ["gw"] })] }).routes).toHaveLength(
      2,
    );
    const route = (spec: object) => ({ apiVersion: "keyway.dev/v1alpha1", kind: "Route", ...rule(spec) }) as never;
    const split = wanted(["v1"], { routes: [route({ service: "reviews:9080", split: [{ to: "x", weight: 5 }] })] });
    expect([split.routes, split.told]).toEqual([
      [version("v1")],
      [expect.stringContaining("the Route theirs says where")],
    ]);
    const rival = wanted(["v1"], { routes: [route({ service: "reviews.demo", key: "v1", to: "x" })] });
    expect([rival.routes, rival.told]).toEqual([
      [rest("v1")],
      [expect.stringContaining("the Route theirs leads reviews elsewhere for v1")],
    ]);
    const other = [
      route({ service: "reviews.shop", key: "v1", to: "x" }),
      route({ service: "reviews", key: "v1", when: [], to: "x" }),
    ];
    expect(wanted(["v1"], { routes: other }).routes).toHaveLength(2);
  });
});
