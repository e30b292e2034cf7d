// Tables of a server that knows the Services, and which of them are ready.
import { describe, expect, test } from "vitest";
import { ask, bed, clientOf, keyRoutes, settle, stateOf } from "./bed.ts";
import { ReferenceClient } from "./reference-client.ts";

describe("services that the server knows", () => {
  test("change what routes lead to, without a change of routes", async () => {
    let port = 80;
    const find = (name: string, namespace: string) => ({ name, namespace, ports: [{ port, name: "http" }] });
    const { feed, routes } = bed([{ id: "a", service: "reviews:http", key: "k", to: "x" }], { services: { find } });
    const client = await clientOf(feed, "outbound:demo");
    expect(client.lookUp("k")).toEqual(["outbound|80||x.demo.svc.cluster.local"]);
    const answer = ask(feed, client.query(20));
    await stateOf(answer);
    port = 9080;
    routes.changeService({ name: "reviews", namespace: "demo", isOfPorts: true });
    client.apply((await answer).body);
    expect(client.isConsistent).toBe(true);
    expect(client.resets).toBe(0);
    expect(client.lookUp("k")).toEqual(["outbound|9080||x.demo.svc.cluster.local"]);
  });

  test("change many routes, and proxies are told of what has changed", async () => {
    let port = 80;
    const find = (name: string, namespace: string) => ({ name, namespace, ports: [{ port, name: "http" }] });
    const { feed, routes } = bed(
      keyRoutes(3000).map((route) => ({ ...route, service: "reviews:http" })),
      { services: { find } },
    );
    const client = await clientOf(feed, "outbound:demo");
    port = 9080;
    routes.changeService({ name: "reviews", namespace: "demo", isOfPorts: true });
    await settle(feed, client);
    expect(client.resets).toBe(0);
    expect(client.lookUp("k1")).toEqual(["outbound|9080||to-k1.demo.svc.cluster.local"]);
  });
});

describe("readiness of targets", () => {
  /** Services of one port, ready but for those whose names are in `down`. */
  function directory() {
    const down = new Set<string>();
    let asked = 0;
    const find = (name: string, namespace: string) => ({ name, namespace, ports: [{ port: 80 }] });
    const isReady = (name: string, namespace: string) => {
      asked++;
      return !down.has(`${namespace}/${name}`);
    };
    return { down, services: { find, isReady }, asked: () => asked };
  }

  async function followed(routes: Parameters<typeof bed>[0], scope = "outbound:demo") {
    const { down, services, asked } = directory();
    const { feed, routes: source } = bed(routes, { services });
    const client = await clientOf(feed, scope);
    const flip = async (id: string, isReady: boolean) => {
      const [namespace = "", name = ""] = id.split("/");
      if (isReady) down.delete(id);
      else down.add(id);
      source.changeService({ namespace, name, isOfPorts: false });
      await settle(feed, client);
      expect(client.isConsistent).toBe(true);
    };
    return { feed, client, flip, asked, source };
  }

  test("a route whose target has no ready pod leaves the tables and comes back, and no other is touched", async () => {
    const { client, flip, asked } = await followed([
      { id: "a", service: "reviews", key: "k", to: "x" },
      { id: "b", service: "reviews.shop", key: "k", to: "x" },
      { id: "c", from: "outbound|80||a.demo.svc.cluster.local", key: "k", to: "outbound|80||x.demo.svc.cluster.local" },
      { id: "d", service: "reviews", key: "l", to: "x.demo:80", missing: "fail" },
      { id: "e", service: "reviews", key: "m", to: { service: "y", subset: "v2" } },
      ...keyRoutes(50),
    ]);
    const all = client.lookUp("k");
    expect(all).toHaveLength(3);
    const before = asked();
    await flip("demo/x", false);
    expect(asked() - before).toBeLessThanOrEqual(4);
    expect(client.lookUp("k")).toEqual(["outbound|80||x.shop.svc.cluster.local"]);
    expect(client.lookUp("l")).toHaveLength(1);
    await flip("demo/x", true);
    expect(client.lookUp("k")).toEqual(all);
    await flip("demo/y", false);
    expect([client.lookUp("m"), client.lookUp("k1")].map(({ length }) => length)).toEqual([0, 1]);
    expect(client.resets).toBe(0);
  });

  test("in tables of one service, too, and for a route that is set while its target is not ready", async () => {
    for (const scope of ["demo/reviews", "inbound:demo/reviews:80=8080"]) {
      const { client, flip, feed, source } = await followed([], scope);
      await flip("demo/x", false);
      source.change([{ id: "a", service: "reviews.demo", key: "k", to: "x" }]);
      await settle(feed, client);
      expect(client.lookUp("k")).toEqual([]);
      await flip("demo/x", true);
      expect(client.lookUp("k")).toHaveLength(1);
      source.change([], ["a"]);
      await flip("demo/x", false);
      expect(client.lookUp("k")).toEqual([]);
    }
  });

  test("a target is looked at by the port that it has in the table, and one that is none is left out where clusters are Istio's", async () => {
    const ports = [{ port: 80 }, { port: 90 }];
    const services = {
      find: (name: string, namespace: string) => (name === "gone" ? undefined : { name, namespace, ports }),
      isReady: (name: string, _: string, port?: number | string) => name !== "gone" && port !== 90,
    };
    const routes = [
      { id: "a", service: "reviews", key: "both", to: "x" },
      { id: "b", service: "reviews:80", key: "other", to: "x:90" },
      { id: "c", service: "reviews:80", key: "gone", to: "gone" },
      { id: "d", service: "reviews:80", key: "elsewhere", to: "api.example.com:443" },
    ];
    const { feed } = bed(routes, { services });
    const istio = await clientOf(feed, "outbound:demo");
    expect(istio.lookUp("both")).toEqual(["outbound|80||x.demo.svc.cluster.local"]);
    expect(["other", "gone", "elsewhere"].map((key) => istio.lookUp(key).length)).toEqual([0, 0, 1]);
    const plain = await clientOf(feed, "demo/reviews");
    expect(["both", "other", "gone"].map((key) => plain.lookUp(key).length)).toEqual([1, 0, 1]);
  });

  test("once what there is not is known, every route is looked at", async () => {
    let isKnown = false;
    const services = {
      find: (name: string, namespace: string) => ({ name, namespace, ports: [{ port: 80 }] }),
      isReady: (name: string) => (isKnown ? name !== "gone" : undefined),
    };
    const { feed, routes } = bed([{ id: "a", service: "reviews", key: "k", to: "gone" }], { services });
    const client = await clientOf(feed, "outbound:demo");
    expect(client.lookUp("k")).toHaveLength(1);
    isKnown = true;
    routes.changeService({ namespace: "*", name: "*", isOfPorts: false });
    await settle(feed, client);
    expect(client.lookUp("k")).toEqual([]);
  });

  test("of a split the share that is not ready goes to the baseline", async () => {
    const { feed, flip } = await followed([
      {
        id: "s",
        service: "reviews",
        split: [
          { to: "x", weight: 10 },
          { to: "y", weight: 20 },
        ],
      },
    ]);
    const targets = () => {
      const query = new ReferenceClient("outbound:demo").query();
      return ask(feed, query).then(({ body }) =>
        [
          ...Buffer.from(body)
            .toString("latin1")
            .matchAll(/80\|\|([xy])\./g),
        ].map(([, to]) => to),
      );
    };
    expect(await targets()).toEqual(["x", "y"]);
    await flip("demo/x", false);
    expect(await targets()).toEqual(["y"]);
    await flip("demo/y", false);
    expect(await targets()).toEqual([]);
    await flip("demo/x", true);
    expect(await targets()).toEqual(["x"]);
  });
});
